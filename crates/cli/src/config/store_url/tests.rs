use super::*;

fn refusal(text: &str) -> InvalidStoreUrl {
    text.parse::<StoreUrl>().unwrap_err()
}

#[test]
fn every_scheme_is_read_with_its_path_as_it_stands() {
    for (text, name, path) in [
        ("sqlite:custom-models.db", "sqlite", "custom-models.db"),
        ("sqlite:/srv/a b:c%d.db", "sqlite", "/srv/a b:c%d.db"),
        ("sqlite:./:memory:", "sqlite", "./:memory:"),
        ("sqlite:C:\\models.db", "sqlite", "C:\\models.db"),
        ("sled:models", "sled", "models"),
        ("postgres://a,b:5/x", "postgres", "postgres://a,b:5/x"),
        ("memory:", "memory", ""),
    ] {
        let url: StoreUrl = text.parse().unwrap();
        assert_eq!(url.scheme.name, name);
        assert_eq!(url.path, Path::new(path));
        assert_eq!(url.to_string(), text);
    }
}

#[test]
fn a_password_is_not_shown() {
    for (text, shown) in [
        ("postgres://u:se@cret@h/x", "postgres://u:***@h/x"),
        ("postgresql://u:secret@h,i:7/x?sslmode=disable", "postgresql://u:***@h,i:7/x?…"),
        ("postgres://u@h/x?password=secret", "postgres://u@h/x?…"),
        ("postgres://h:5/x", "postgres://h:5/x"),
    ] {
        let url: StoreUrl = text.parse().unwrap();
        assert_eq!(url.to_string(), shown);
        assert_eq!(url.path, Path::new(text));
    }
}

#[test]
fn what_names_no_store_is_refused() {
    for text in ["", "models.db", "mysql:x", "SQLite:x", " sqlite:x", ":x"] {
        assert_eq!(refusal(text), InvalidStoreUrl::UnknownScheme, "{text}");
    }
    assert_eq!(refusal("sqlite:"), InvalidStoreUrl::NoPath("sqlite"));
    assert_eq!(refusal("sled:"), InvalidStoreUrl::NoPath("sled"));
    assert_eq!(refusal("sqlite://x.db"), InvalidStoreUrl::Slashes("sqlite"));
    assert_eq!(refusal("postgres:x"), InvalidStoreUrl::NoServer("postgres"));
    assert_eq!(refusal("memory:x"), InvalidStoreUrl::UnwantedPath("memory"));
}

#[test]
fn a_path_that_other_programs_read_otherwise_is_refused() {
    use RejectedPath::{Escape, File, Folder, Home, Memory, Parameters, Sidecar, Space, Uri};
    for (text, odd) in [
        ("sqlite::memory:", Memory("sqlite")),
        ("sled::memory:", Memory("sled")),
        ("sqlite:file:x.db", Uri("sqlite")),
        ("sqlite:FILE:x.db?mode=ro", Uri("sqlite")),
        ("sqlite:~/x.db", Home("sqlite")),
        ("sled:~", Home("sled")),
        ("sqlite:x.db?mode=ro", Parameters),
        ("sled:x?y", Parameters),
        ("sqlite:a%20b.db", Escape),
        ("sqlite: x.db", Space),
        ("sqlite:x.db ", Space),
        ("sled:x\n", Space),
        ("sqlite:none/", Folder("sqlite")),
        ("sqlite:.", Folder("sqlite")),
        ("sqlite:src", Folder("sqlite")),
        ("sled:Cargo.toml", File("sled")),
        ("sqlite:a.db-wal", Sidecar("-wal")),
        ("sqlite:x/a.db-shm", Sidecar("-shm")),
        ("sqlite:a.db-journal", Sidecar("-journal")),
        ("sqlite:a.db.data", Sidecar(".data")),
        ("sled:a.data", Sidecar(".data")),
    ] {
        assert_eq!(refusal(text), InvalidStoreUrl::RejectedPath(odd), "{text}");
    }
    assert_eq!(refusal("postgres://h/x "), InvalidStoreUrl::Space);
}

#[test]
fn a_store_that_is_there_is_opened_whatever_its_name() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["x.db?mode=ro", "a%20b.db", "x.db "] {
        let path = folder.path().join(name);
        std::fs::write(&path, "").unwrap();
        let url: StoreUrl = format!("sqlite:{}", path.display()).parse().unwrap();
        assert_eq!(url.path, path);
    }
}

/// The log of a database is there, too, but is no store.
#[test]
fn place_1_a_file_that_sqlite_keeps_beside_a_database_is_never_a_store() {
    let folder = tempfile::tempdir().unwrap();
    for ending in ["-wal", "-shm", "-journal"] {
        let path = folder.path().join(format!("a.db{ending}"));
        std::fs::write(&path, "").unwrap();
        let text = format!("sqlite:{}", path.display());
        assert_eq!(refusal(&text), InvalidStoreUrl::RejectedPath(RejectedPath::Sidecar(ending)));
    }
    assert!("sled:a-wal".parse::<StoreUrl>().is_ok());
}

#[test]
fn a_build_without_a_store_says_how_to_get_one() {
    static WITHOUT_SLED: [Scheme; 1] =
        [Scheme { name: "sled", location: Location::Path, opener: None }];
    let url = StoreUrl::parse("sled:models", &WITHOUT_SLED).unwrap();
    assert_eq!(
        url.opener(OpenMode::ReadOnly).err().unwrap().to_string(),
        "this build has no sled; install with --features sled"
    );
}
