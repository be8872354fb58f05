//! The chapter for authors of stores says how many methods they have to write.

const CHAPTER: &str = include_str!("../src/store.rs");

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the number of methods without a default body in a trait.
    fn required(source: &str, name: &str) -> usize {
        let begin = source.find(&format!("pub trait {name}")).expect("a trait of this name");
        let body = source[begin..].split("\n}\n").next().unwrap();
        let methods = body.split("\n    fn ").skip(1);
        methods.filter(|it| it.chars().find(|it| matches!(it, ';' | '{')) == Some(';')).count()
    }

    #[test]
    fn the_chapter_states_the_number_of_required_methods() {
        let models = required(include_str!("../src/store/model_store.rs"), "ModelStore");
        let access = required(include_str!("../src/store/access.rs"), "AccessStore");
        let archive = required(include_str!("../src/store/archive.rs"), "ArchiveStore");
        let rows = required(include_str!("../src/store/rows.rs"), "Rows {");
        let access_rows = required(include_str!("../src/store/access_rows.rs"), "AccessRows");
        let admissions = include_str!("../src/store/admit.rs");
        let read = required(admissions, "AdmissionRows {");
        let write = required(admissions, "AdmissionRowsMut");
        for stated in [
            format!("with {} required methods in all", models + access + archive),
            format!("| [`ModelStore`] | {models} |"),
            format!("| [`AccessStore`] | {access} |"),
            format!("| [`ArchiveStore`] | {archive} |"),
            format!("[`Rows`] ({rows} required methods)"),
            format!("over [`AccessRows`]\n//! ({access_rows})"),
            format!("[`AdmissionRows`] ({read}) and [`AdmissionRowsMut`] ({write})"),
        ] {
            assert!(CHAPTER.contains(&stated), "the chapter lacks: {stated}");
        }
    }
}
