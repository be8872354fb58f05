use super::*;

fn parse(url: &str) -> Address {
    Address::parse(url, Duration::from_secs(7)).unwrap()
}

#[test]
fn what_goes_over_a_network_is_encrypted_and_verified_unless_it_is_told_otherwise() {
    for url in ["postgres://db/x", "postgres://10.0.0.1/x", "postgresql://127.0.0.1,db/x"] {
        assert_eq!(parse(url).tls, Some(Roots::System), "{url}");
    }
    for url in ["postgres://localhost/x", "postgres://127.0.0.1:5/x", "postgres://%2Ftmp/x"] {
        assert_eq!(parse(url).tls, None, "{url}");
    }
    assert_eq!(parse("postgres://db/x?sslmode=disable").tls, None);
    let file = parse("postgres://localhost/x?sslmode=verify-full&sslrootcert=/ca.pem").tls;
    assert_eq!(file, Some(Roots::File("/ca.pem".into())));
}

#[test]
fn of_several_hosts_the_one_that_writes_is_meant() {
    let config = parse("postgres://a:1,b:2/x?sslmode=disable&connect_timeout=3").config;
    assert_eq!(config.get_hosts().len(), 2);
    assert_eq!(config.get_target_session_attrs(), TargetSessionAttrs::ReadWrite);
    assert_eq!(config.get_connect_timeout(), Some(&Duration::from_secs(3)));
}

#[test]
fn a_url_that_is_none_is_refused_without_its_password() {
    for url in [
        "postgres://u:secret@h/x?colour=red",
        "postgres://u:secret@h:x/x",
        "postgres://u:secret@h/x?sslmode=prefer",
    ] {
        let error = Address::parse(url, Duration::ZERO).unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Unavailable);
        assert!(!format!("{error:?}").contains("secret"), "{error:?}");
    }
}
