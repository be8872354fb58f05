use std::borrow::Cow;

use crate::field::{BaseModel, Description, Language, Name};

/// An optional text for a builder: borrowed from any text type, owned, the value of a field, or an `Option` of
/// these.
pub trait OptionalText<'a> {
    /// The text; `None` leaves the field out.
    fn into_text(self) -> Option<Cow<'a, str>>;
}

impl<'a, T: AsRef<str> + ?Sized> OptionalText<'a> for &'a T {
    #[inline]
    fn into_text(self) -> Option<Cow<'a, str>> {
        Some(Cow::Borrowed(self.as_ref()))
    }
}

impl<'a, T: OptionalText<'a>> OptionalText<'a> for Option<T> {
    #[inline]
    fn into_text(self) -> Option<Cow<'a, str>> {
        self.and_then(T::into_text)
    }
}

/// Implements [`OptionalText`] for types that convert into a text.
macro_rules! texts {
    ($($Type:ty),*) => {$(
        impl<'a> OptionalText<'a> for $Type {
            #[inline]
            fn into_text(self) -> Option<Cow<'a, str>> {
                Some(self.into())
            }
        }
    )*};
}

texts!(String, Cow<'a, str>, Name<'a>, Description<'a>, Language, BaseModel);
