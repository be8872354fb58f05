//! The requests that everyone is measured on.

use serde_json::Value;

/// One request, as fields and as a body, with the fields that are wrong with it.
#[derive(Clone, Debug)]
pub struct Case {
    /// The class, as tables show it.
    pub class: &'static str,
    /// The violated fields, in the order of the wire; none for a valid request.
    pub violated: &'static [&'static str],
    /// `name`
    pub name: String,
    /// `language`
    pub language: String,
    /// `base_model`, where it is given
    pub base_model: Option<String>,
    /// `description`, where it is given
    pub description: Option<String>,
    /// The same as a request body.
    pub body: Vec<u8>,
}

/// The class of the valid mix.
pub const MIX: &str = "valid mix";

/// The one class that the answer's body is rendered for.
pub const ALL_BAD: &str = "all four bad";

/// The class whose cost the long one is compared with.
pub const SHORT: &str = "short";

/// The class of a long description in ASCII.
pub const LONG: &str = "1000 ASCII";

impl Case {
    fn new(
        class: &'static str,
        violated: &'static [&'static str],
        [name, language]: [&str; 2],
        base_model: Option<&str>,
        description: Option<String>,
    ) -> Self {
        let mut case = Case {
            class,
            violated,
            name: name.into(),
            language: language.into(),
            base_model: base_model.map(Into::into),
            description,
            body: Vec::new(),
        };
        case.body = case.to_body();
        case
    }

    fn to_body(&self) -> Vec<u8> {
        let texts = [
            ("name", Some(&self.name)),
            ("language", Some(&self.language)),
            ("base_model", self.base_model.as_ref()),
            ("description", self.description.as_ref()),
        ];
        let members: Vec<String> = texts
            .into_iter()
            .filter_map(|(key, text)| Some(format!("\"{key}\":{}", Value::from(text?.as_str()))))
            .collect();
        format!("{{{}}}", members.join(",")).into_bytes()
    }

    /// Returns true if the request of the case is valid.
    pub fn is_valid(&self) -> bool {
        self.violated.is_empty()
    }
}

const TYPICAL: &str = "Custom model for cardiology consultations and reports";

/// A text of `length` characters that repeats `pattern`.
fn text(pattern: &str, length: usize) -> String {
    pattern.chars().cycle().take(length).collect()
}

/// The valid classes, and those with violations.
pub fn cases() -> Vec<Case> {
    let english = "Reports dictated by fifteen physicians. ";
    let mixed = "心臓の記録 сердце κλινική 記録";
    let multibyte = Case::new(
        "200 + 1000 multibyte",
        &[],
        [&text(mixed, 200), "ja"],
        Some("medical"),
        Some(text(mixed, 1000)),
    );
    vec![
        Case::new(SHORT, &[], ["Tech Support DE", "de"], None, None),
        Case::new(
            "typical",
            &[],
            ["Medical Cardiology EN", "en"],
            Some("medical"),
            Some(TYPICAL.into()),
        ),
        Case::new(
            LONG,
            &[],
            ["Medical Cardiology EN", "en"],
            Some("medical"),
            Some(text(english, 1000)),
        ),
        multibyte,
        Case::new(
            "escapes",
            &[],
            ["Legal \"Contract\" NL", "nl"],
            Some("legal"),
            Some("First line\nsecond line\t\"quoted\" C:\\reports\nthird line".into()),
        ),
        Case::new(
            "bad language",
            &["language"],
            ["Medical Cardiology EN", "xx"],
            Some("medical"),
            Some(TYPICAL.into()),
        ),
        Case::new(
            ALL_BAD,
            &["name", "language", "base_model", "description"],
            ["   ", "xx"],
            Some("healthcare"),
            Some(text(english, 1001)),
        ),
    ]
}

/// The bodies of a day: mostly typical ones, of about 300 bytes on average.
pub fn mix() -> Vec<Case> {
    let weights = [3, 8, 3, 0, 1];
    let valid = cases().into_iter().filter(Case::is_valid);
    valid.zip(weights).flat_map(|(case, weight)| vec![case; weight]).collect()
}
