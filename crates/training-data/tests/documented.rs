//! The documented formats and codecs are those of the crate.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::fs;
use std::path::Path;

use custom_models_training_data::{AudioFormat, LEAST_RATE};

#[test]
fn data_2_the_page_of_the_docs_and_the_help_list_formats_and_codecs() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let page = fs::read_to_string(root.join("docs/audio.md")).unwrap();
    let help = fs::read_to_string(root.join("crates/cli/src/args/help/data-add.txt")).unwrap();
    let help = help.split_whitespace().collect::<Vec<_>>().join(" ");
    for format in AudioFormat::ALL {
        let (extension, codecs) = (format.extension(), format.codecs());
        assert!(page.contains(&format!("| `.{extension}` | {codecs} |")), "{extension}");
        assert!(help.contains(&format!(".{extension} {codecs}")), "{extension}");
    }
    for text in [page, help] {
        assert!(text.contains(&format!("{LEAST_RATE} Hz")));
    }
}
