//! Messages and the types whose bounds they name.

use super::*;
use crate::{
    BaseModel, Description, InvalidMetricName, MetricName, Name, PerPage, TooManyMetrics,
    TrainingMetrics, TrainingStatus,
};

#[test]
fn figures_and_lists_in_messages_are_those_of_the_types() {
    let message = |field, kind| Violation::new(field, kind).message().into_owned();
    let name = message(Field::Name, ViolationKind::TooLong);
    assert!(name.contains(&format!(" {} ", Name::MAX_CHARACTERS)), "{name}");
    let description = message(Field::Description, ViolationKind::TooLong);
    assert!(description.contains(&format!(" {} ", Description::MAX_CHARACTERS)));
    let per_page = message(Field::PerPage, ViolationKind::Unsupported);
    assert!(per_page.ends_with(&format!("from 1 to {}", PerPage::MAX)));
    let status = message(Field::Status, ViolationKind::Unsupported);
    assert!(status.ends_with(&format!("from 1 to {}", TrainingStatus::ALL.len())));
    let base_model = message(Field::BaseModel, ViolationKind::Unsupported);
    let all = BaseModel::ALL.map(BaseModel::as_str).join(", ");
    assert!(base_model.ends_with(&format!("is not one of {all}")));
    let metric = |fault| message(Field::TrainingMetrics, ViolationKind::Metric(fault));
    let name = metric(MetricFault::Name);
    assert!(name.contains(&format!(" 1 to {} ", MetricName::MAX_CHARACTERS)), "{name}");
    let many = metric(MetricFault::TooMany);
    assert!(many.contains(&format!(" more than {};", TrainingMetrics::MAX)), "{many}");
    assert!(TooManyMetrics.to_string().contains(&format!(" {} ", TrainingMetrics::MAX)));
    assert!(
        InvalidMetricName.to_string().contains(&format!(" 1 to {} ", MetricName::MAX_CHARACTERS))
    );
}
