//! Trainings: of a caller, and of a worker.

use custom_models_core::model::{Expected, LeaseTime, Progress, TrainingMetrics, TrainingStatus};
use custom_models_core::request::{
    ClaimTraining, Heartbeat, ListTrainingData, TrainingFailed, TrainingSucceeded,
};
use custom_models_core::store::IdempotencyKey;

use crate::operations::assert_code;
use crate::support::{Service, named};

#[tokio::test(flavor = "multi_thread")]
async fn a_training_is_run_claimed_reported_and_resolved() {
    let service = Service::start().await;
    let client = service.client();
    let id = client.create(&named("n")).await.unwrap().id;
    assert_code(client.run(id, &Expected::Anything).await, 409, "MODEL_NOT_READY");
    service.has_data(id, 18_000);
    let running = client.run(id, &Expected::Anything).await.unwrap();
    assert_eq!(running.training_status(), TrainingStatus::Running);
    assert!(running.retry_after.is_some());

    let claimed = client.claim(&ClaimTraining::default()).await.unwrap().into_value().unwrap();
    assert_eq!((claimed.model.id, claimed.data.count), (id, 1));
    assert_eq!(client.claim(&ClaimTraining::default()).await.unwrap().value, None);
    let fence = claimed.fence;
    let query = fence.to_string();
    let list = ListTrainingData::from_pairs([("fence", &*query)]).unwrap();
    assert_eq!(client.training_data(id, &list).await.unwrap().value, claimed.data);

    let report = format!(r#"{{"fence":{fence},"training_progress":50}}"#);
    let report = Heartbeat::from_json(report.as_bytes()).unwrap();
    let held = client.heartbeat(id, &report).await.unwrap();
    assert_eq!(
        (held.training_progress, report.time),
        (Progress::new(50).unwrap(), LeaseTime::default())
    );
    let report = format!(r#"{{"fence":{fence},"training_metrics":{{"wer":0.1}}}}"#);
    let report = TrainingSucceeded::from_json(report.as_bytes()).unwrap();
    let trained = client.succeed(id, &report).await.unwrap();
    assert_eq!(trained.training_metrics(), Some(&report.metrics));
    assert_ne!(trained.training_metrics(), Some(&TrainingMetrics::default()));
    let resolved = client.resolve(trained.model_key()).await.unwrap();
    assert_eq!(resolved.value, trained.value);
    assert_code(client.cancel(id, &Expected::Anything).await, 409, "TRAINING_NOT_RUNNING");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_training_fails_or_is_cancelled() {
    let service = Service::start().await;
    let client = service.client();
    let id = client.create(&named("n")).await.unwrap().id;
    service.has_data(id, 18_000);
    let key = IdempotencyKey::new("nightly").unwrap();
    client.run_once(id, &Expected::Anything, &key).await.unwrap();
    assert!(client.run_once(id, &Expected::Anything, &key).await.unwrap().is_replayed);
    let cancelled = client.cancel(id, &Expected::Anything).await.unwrap();
    assert_ne!(cancelled.training_status(), TrainingStatus::Running);
    assert_code(client.resolve(cancelled.model_key()).await, 409, "MODEL_NOT_TRAINED");

    client.run(id, &Expected::Anything).await.unwrap();
    let fence = client.claim(&ClaimTraining::default()).await.unwrap().value.unwrap().fence;
    let report = format!(r#"{{"fence":{fence},"error":"out of memory"}}"#);
    let report = TrainingFailed::from_json(report.as_bytes()).unwrap();
    let failed = client.fail(id, &report).await.unwrap();
    assert_eq!(failed.training.failure().unwrap().error, "out of memory");
    assert_code(client.fail(id, &report).await, 409, "LEASE_LOST");
}
