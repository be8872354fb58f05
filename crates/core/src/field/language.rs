use crate::field::names::Field;
use crate::field::newtype::closed_set;

macro_rules! languages {
    ($($Variant:ident = $code:literal, $english:literal;)*) => {
        /// A language for models: one of the specification's 33 (LANG-3).
        ///
        /// ```
        /// use custom_models_core::Language;
        ///
        /// assert_eq!("en".parse(), Ok(Language::En));
        /// assert!("EN".parse::<Language>().is_err());
        /// ```
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Language {
            $(#[doc = $english] $Variant,)*
        }

        impl Language {
            /// All languages, in the specification's order.
            pub const ALL: &'static [Language] = &[$(Language::$Variant,)*];

            /// Returns the ISO 639-1 code, in lower case.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Language::$Variant => $code,)*
                }
            }
        }
    };
}

languages! {
    En = "en", "English";
    Nl = "nl", "Dutch";
    Fr = "fr", "French";
    De = "de", "German";
    Es = "es", "Spanish";
    It = "it", "Italian";
    Pt = "pt", "Portuguese";
    Pl = "pl", "Polish";
    Cs = "cs", "Czech";
    Da = "da", "Danish";
    Fi = "fi", "Finnish";
    El = "el", "Greek";
    Hu = "hu", "Hungarian";
    No = "no", "Norwegian";
    Ro = "ro", "Romanian";
    Sk = "sk", "Slovak";
    Sv = "sv", "Swedish";
    Ar = "ar", "Arabic";
    He = "he", "Hebrew";
    Tr = "tr", "Turkish";
    Fa = "fa", "Persian";
    Zh = "zh", "Chinese";
    Ja = "ja", "Japanese";
    Ko = "ko", "Korean";
    Hi = "hi", "Hindi";
    Th = "th", "Thai";
    Id = "id", "Indonesian";
    Vi = "vi", "Vietnamese";
    Ru = "ru", "Russian";
    Uk = "uk", "Ukrainian";
    Ms = "ms", "Malay";
    Ta = "ta", "Tamil";
    Te = "te", "Telugu";
}

/// The languages by the two lower-case letters of their codes.
static BY_CODE: [[Option<Language>; 26]; 26] = table();

#[expect(clippy::indexing_slicing, reason = "evaluated by the compiler, which refuses a bad index")]
const fn table() -> [[Option<Language>; 26]; 26] {
    let mut table = [[None; 26]; 26];
    let mut place = 0;
    while place < Language::ALL.len() {
        let language = Language::ALL[place];
        let code = language.as_str().as_bytes();
        table[(code[0] - b'a') as usize][(code[1] - b'a') as usize] = Some(language);
        place += 1;
    }
    table
}

impl Language {
    /// Returns the language with this code, compared byte for byte (LANG-3).
    #[inline]
    pub fn from_code(code: &str) -> Option<Language> {
        let &[first, second] = code.as_bytes() else {
            return None;
        };
        let row = BY_CODE.get(usize::from(first.wrapping_sub(b'a')))?;
        *row.get(usize::from(second.wrapping_sub(b'a')))?
    }
}

closed_set!(Language, Field::Language, from_code);
