use super::*;

#[test]
fn place_2_a_url_names_a_bucket_and_a_prefix() {
    for (url, bucket, prefix, name) in [
        ("s3://data", "data", "", "s3://data"),
        ("s3://data/", "data", "", "s3://data"),
        ("gs://data/speech/eu/", "data", "speech/eu", "gs://data/speech/eu"),
        ("az://data/speech", "data", "speech", "az://data/speech"),
    ] {
        let found = Location::parse(url).unwrap();
        assert_eq!((&*found.bucket, found.prefix.as_ref(), &*found.name), (bucket, prefix, name));
    }
}

#[test]
fn place_5_what_may_be_a_secret_in_a_url_is_refused_and_not_repeated() {
    for url in [
        "s3://key:hunter2@data/speech",
        "s3://data/speech?secret=hunter2",
        "s3://data/speech#hunter2",
        "az://data/hunter2//x",
        "az:///hunter2",
        "gs://data/../hunter2",
        "ftp://data/hunter2",
    ] {
        let told = format!("{:?}", Location::parse(url).unwrap_err());
        assert!(!told.contains("hunter2"), "{told}");
    }
}
