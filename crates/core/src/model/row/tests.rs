use super::*;

const ROW: ModelRow<'_> = ModelRow {
    id: 7,
    revision: 2,
    heartbeats: 3,
    name: "n",
    description: Some(""),
    language: "en",
    base_model: "medical",
    training_status: 1,
    training: None,
    claimable_at: Some(None),
    created_at: 1,
    updated_at: 2,
};

#[test]
fn a_row_becomes_the_model_that_it_was() {
    let model = CustomModel::try_from(ROW).unwrap();
    assert_eq!((model.id.get(), model.revision().get(), model.version.heartbeats), (7, 2, 3));
    assert_eq!((model.name.as_str(), model.language.as_str()), ("n", "en"));
    assert_eq!(model.description.as_ref().map(Description::as_str), Some(""));
    assert_eq!(model.base_model.as_str(), "medical");
    assert_eq!(model.training_status().number(), 1);
    assert_eq!((model.created_at.unix_seconds(), model.updated_at.unix_seconds()), (1, 2));
    let unasked = ModelRow { claimable_at: None, description: None, ..ROW };
    assert_eq!(CustomModel::try_from(unasked).unwrap().description, None);
}

#[test]
fn a_column_against_the_rules_is_told() {
    let long = "n".repeat(2000);
    for (row, what) in [
        (ModelRow { id: 0, ..ROW }, "an id out of range"),
        (ModelRow { id: ModelId::MAX + 1, ..ROW }, "an id out of range"),
        (ModelRow { revision: 0, ..ROW }, "a revision of zero"),
        (ModelRow { name: "", ..ROW }, "a name against the rules"),
        (ModelRow { description: Some(&long), ..ROW }, "a description against the rules"),
        (ModelRow { language: "EN", ..ROW }, "an unknown language"),
        (ModelRow { base_model: "", ..ROW }, "an unknown base model"),
        (ModelRow { training_status: 9, ..ROW }, "an unknown training status"),
        (ModelRow { training_status: 3, ..ROW }, "no training state of its training status"),
        (
            ModelRow { claimable_at: Some(Some(0)), ..ROW },
            "a training that is to be claimed at another time",
        ),
        (ModelRow { created_at: i64::MAX, ..ROW }, "a time out of range"),
        (ModelRow { updated_at: i64::MIN, ..ROW }, "a time out of range"),
    ] {
        assert_eq!(CustomModel::try_from(row), Err(InvalidModelRow(what)));
    }
}
