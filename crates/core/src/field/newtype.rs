//! Conversions that the field types share: `FromStr`, `TryFrom`, `Display`, `Serialize` and `Deserialize`,
//! all of them validating.

/// Implements the conversions of a text newtype through its `validate`.
macro_rules! text_newtype {
    ($Type:ident, $field:expr) => {
        impl<'a> $Type<'a> {
            /// Validates a text, borrowed or owned.
            pub fn new(
                text: impl Into<::std::borrow::Cow<'a, str>>,
            ) -> Result<Self, $crate::field::Violation<'static>> {
                let text = text.into();
                match Self::validate(&text) {
                    Ok(()) => Ok($Type(text)),
                    Err(kind) => Err($crate::field::Violation::new($field, kind)),
                }
            }

            /// Wraps a text that `validate` has accepted.
            #[inline]
            pub(crate) const fn from_validated(text: ::std::borrow::Cow<'a, str>) -> Self {
                $Type(text)
            }

            /// Returns the text, exactly as sent.
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// Returns the same text, owned.
            pub fn into_owned(self) -> $Type<'static> {
                $Type(::std::borrow::Cow::Owned(self.0.into_owned()))
            }
        }

        impl<'a> TryFrom<&'a str> for $Type<'a> {
            type Error = $crate::field::Violation<'static>;

            fn try_from(text: &'a str) -> Result<Self, Self::Error> {
                Self::new(text)
            }
        }

        impl TryFrom<String> for $Type<'static> {
            type Error = $crate::field::Violation<'static>;

            fn try_from(text: String) -> Result<Self, Self::Error> {
                Self::new(text)
            }
        }

        impl ::std::str::FromStr for $Type<'static> {
            type Err = $crate::field::Violation<'static>;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Self::new(String::from(text))
            }
        }

        impl<'a> From<$Type<'a>> for ::std::borrow::Cow<'a, str> {
            fn from(text: $Type<'a>) -> Self {
                text.0
            }
        }

        impl From<$Type<'_>> for String {
            fn from(text: $Type<'_>) -> Self {
                text.0.into_owned()
            }
        }

        impl AsRef<str> for $Type<'_> {
            fn as_ref(&self) -> &str {
                self.as_str()
            }
        }

        impl ::std::fmt::Display for $Type<'_> {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl<'de> ::serde::Deserialize<'de> for $Type<'_> {
            fn deserialize<D: ::serde::Deserializer<'de>>(
                deserializer: D,
            ) -> Result<Self, D::Error> {
                Self::new(<String as ::serde::Deserialize>::deserialize(deserializer)?)
                    .map_err(::serde::de::Error::custom)
            }
        }
    };
}

/// Implements the conversions of a type with a closed set of values through its look-up by name.
macro_rules! closed_set {
    ($Type:ident, $field:expr, $from_text:ident) => {
        impl $Type {
            pub(crate) fn validate(
                text: ::std::borrow::Cow<'_, str>,
            ) -> Result<Self, $crate::field::Violation<'_>> {
                $Type::$from_text(&text)
                    .ok_or_else(|| $crate::field::Violation::unsupported($field, text))
            }
        }

        impl ::std::str::FromStr for $Type {
            type Err = $crate::field::Violation<'static>;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                $Type::validate(::std::borrow::Cow::Borrowed(text))
                    .map_err($crate::field::Violation::into_owned)
            }
        }

        impl TryFrom<&str> for $Type {
            type Error = $crate::field::Violation<'static>;

            fn try_from(text: &str) -> Result<Self, Self::Error> {
                text.parse()
            }
        }

        impl From<$Type> for ::std::borrow::Cow<'_, str> {
            fn from(value: $Type) -> Self {
                ::std::borrow::Cow::Borrowed(value.as_str())
            }
        }

        impl AsRef<str> for $Type {
            fn as_ref(&self) -> &str {
                self.as_str()
            }
        }

        impl ::std::fmt::Display for $Type {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl ::serde::Serialize for $Type {
            fn serialize<S: ::serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> ::serde::Deserialize<'de> for $Type {
            fn deserialize<D: ::serde::Deserializer<'de>>(
                deserializer: D,
            ) -> Result<Self, D::Error> {
                let text = <::std::borrow::Cow<'_, str> as ::serde::Deserialize>::deserialize(
                    deserializer,
                )?;
                $Type::validate(text).map_err(::serde::de::Error::custom)
            }
        }
    };
}

pub(crate) use {closed_set, text_newtype};
