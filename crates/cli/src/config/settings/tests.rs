use std::time::Duration;

use custom_models_core::access::OperationLimit;

use super::*;

#[test]
fn log_1_the_history_is_kept_for_ever_or_for_as_long_as_is_said() {
    let kept = |text| Settings::from_toml(text).unwrap().retention.events;
    assert_eq!(kept(""), None);
    assert_eq!(kept("[retention]\nevents = \"off\""), None);
    let days = |days: u64| Some(Duration::from_secs(days * 86_400));
    assert_eq!(kept("[retention]\nevents = \"90d\""), days(90));
    for wrong in ["[retention]\nevents = \"90\"", "[retention]\nkeys = \"90d\""] {
        assert!(Settings::from_toml(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn a_file_adds_plans_and_changes_limits() {
    let settings = Settings::from_toml(
        "[plans]\nSilver = { models = 20 }\nGold = {}\n[limits.list]\nrequests = \"100/1m\"\n\
        [limits.create]\nat_once = \"off\"\n[limits.get]\nat_once = 2",
    );
    let settings = settings.unwrap();
    assert_eq!(settings.plan(Some("sILVER")).unwrap().model_limit(), Some(20));
    assert_eq!(settings.plan(Some("Gold")).unwrap().model_limit(), None);
    let create = settings.limits.of(Operation::Create);
    assert_eq!((create.requests, create.at_once), (Some(RateLimit::CREATE), None));
    let list = settings.limits.of(Operation::List);
    assert_eq!(list.requests.unwrap().to_string(), "100/1m");
    assert_eq!(settings.limits.of(Operation::Get).at_once, NonZeroU32::new(2));
    assert_eq!(settings.limits.of(Operation::Delete), OperationLimit::NONE);
}

#[test]
fn what_a_file_cannot_say_is_refused_with_its_line() {
    for text in [
        "\nplan = 1",
        "\n[plans]\nSilver = { model = 20 }",
        "\n[plans]\nSilver = { models = -1 }",
        "\n[plans]\n\"\" = {}",
        "\n[limits.creat]",
        "\n[limits.create]\nrequests = \"10\"",
        "\n[limits.create]\nat_once = 0",
        "\n[limits.create]\nat_once = \"on\"",
        "\n[limits.create]\nrate = 1",
        "\n[",
    ] {
        let error = Settings::from_toml(text).unwrap_err().to_string();
        assert!(error.contains("line "), "{text}: {error}");
    }
}
