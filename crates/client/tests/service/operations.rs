//! Each operation on models, data and events.

use std::time::Duration;

use custom_models_client::{Error, Upload, UploadFile};
use custom_models_core::model::{DataId, DataType, EventType, Expected, Revision};
use custom_models_core::request::{ListData, ListEvents, PerPage, Start};
use custom_models_core::store::Filter;
use custom_models_core::{Language, ListModels, UpdateModel};
use futures_util::TryStreamExt;

use crate::support::{Service, caller, named};

#[tokio::test(flavor = "multi_thread")]
async fn a_model_is_created_changed_and_deleted() {
    let service = Service::start().await;
    let client = service.client();
    let created = client.create(&named("Cardiology")).await.unwrap();
    assert_eq!(created.value, service.engine.get(&caller(), created.id).unwrap());
    assert!(!created.is_replayed && created.request_id.is_some());
    let (id, first) = (created.id, created.revision());

    let rename = UpdateModel::builder().name("Oncology").build().unwrap();
    let renamed = client.update(id, &rename, &Expected::OneOf(vec![first])).await.unwrap();
    assert_eq!((renamed.name.as_str(), renamed.revision()), ("Oncology", first.next()));
    assert_eq!(client.get(id).await.unwrap().value, renamed.value);
    assert_eq!(client.get_if_changed(id, first.next()).await.unwrap().value, None);
    assert_eq!(client.get_if_changed(id, first).await.unwrap().value, Some(renamed.into_value()));

    let late = client.delete(id, &Expected::OneOf(vec![first])).await;
    assert_code(late, 412, "PRECONDITION_FAILED");
    client.delete(id, &Expected::Anything).await.unwrap();
    assert_code(client.get(id).await, 404, "MODEL_NOT_FOUND");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_is_validated_and_nothing_is_created() {
    let service = Service::start().await;
    let validated = service.client().validate(&named("n")).await.unwrap();
    assert!(validated.valid);
    assert_eq!((validated.current_models, service.models()), (0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn models_are_listed_by_page_and_all() {
    let service = Service::start().await;
    let client = service.client();
    for number in 0..4 {
        client.create(&named(&number.to_string())).await.unwrap();
    }
    let other = named("5").into_owned();
    let other = custom_models_core::CreateModel { language: Language::De, ..other };
    client.create(&other).await.unwrap();

    let mut list = ListModels { per_page: PerPage::new(2).unwrap(), ..Default::default() };
    list.start = Start::Page(2.try_into().unwrap());
    let page = client.list(&list).await.unwrap();
    let ids: Vec<_> = page.result.iter().map(|model| model.id.get()).collect();
    assert_eq!((page.total_results, ids), (5, vec![3, 4]));
    list.start = Start::After(page.result[0].id);
    assert!(matches!(client.list(&list).await, Err(Error::Inexpressible(_))));

    let english = Filter { language: Some(Language::En), ..Filter::default() };
    let all: Vec<_> = client.models(english).try_collect().await.unwrap();
    assert_eq!(all.iter().map(|model| model.id.get()).collect::<Vec<_>>(), [1, 2, 3, 4]);
}

#[tokio::test(flavor = "multi_thread")]
async fn all_pairs_are_listed_over_several_pages_and_one_is_removed() {
    let service = Service::start().await;
    let client = service.client();
    let id = client.create(&named("n")).await.unwrap().id;
    (0..203).for_each(|_| service.has_data(id, 1));
    let pairs: Vec<_> = client.pairs(id).try_collect().await.unwrap();
    let ids: Vec<_> = pairs.iter().map(|pair| pair.id.get()).collect();
    assert_eq!(ids, (1..=203).collect::<Vec<_>>());

    let second = DataId::new(2).unwrap();
    client.remove_data(id, second, &Expected::Anything).await.unwrap();
    let page = client.data(id, &ListData::default()).await.unwrap();
    assert_eq!((page.total_results, page.result[1].id.get()), (202, 3));
    let again = client.remove_data(id, second, &Expected::Anything).await;
    assert_code(again, 404, "DATA_NOT_FOUND");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_is_added() {
    let service = Service::start().await;
    let client = service.client();
    let id = client.create(&named("n")).await.unwrap().id;
    let upload = crate::uploads::upload();
    assert_eq!(client.upload(id, &upload).await.unwrap().data_type, DataType::Train);
    let stale = Upload::expecting(upload, Expected::OneOf(vec![Revision::FIRST]));
    assert_code(client.upload(id, &stale).await, 412, "PRECONDITION_FAILED");
    let text = UploadFile::from_bytes("a.wav", "no audio");
    let invalid = Upload::new(DataType::Test, text.clone(), text.named("a.txt"));
    let Err(Error::Refused(refused)) = client.upload(id, &invalid).await else { panic!() };
    assert_eq!((refused.status, refused.violations().next().unwrap().0), (400, "audio_file"));
}

#[tokio::test(flavor = "multi_thread")]
async fn events_are_read_and_waited_for() {
    let service = Service::start().await;
    let client = service.client();
    let id = client.create(&named("n")).await.unwrap().id;
    let mut list = ListEvents::default();
    let events = client.events(&list).await.unwrap();
    assert_eq!((events.last_position, &events.result[0].event_type), (1, &EventType::Created));
    list.after = 1;
    assert_eq!(client.events(&list).await.unwrap().count, 0);

    // The time-out of a request does not end its wait.
    let impatient = service.builder().timeout(Duration::from_millis(1)).build().unwrap();
    let mut following = std::pin::pin!(impatient.follow(0));
    assert_eq!(following.try_next().await.unwrap().unwrap().position, 1);
    let (next, deleted) =
        tokio::join!(following.try_next(), client.delete(id, &Expected::Anything));
    deleted.unwrap();
    let next = next.unwrap().unwrap();
    assert_eq!((next.position, next.event_type), (2, EventType::Deleted));
}

pub(crate) fn assert_code<T: std::fmt::Debug>(result: Result<T, Error>, status: u16, code: &str) {
    match result {
        Err(Error::Refused(refused)) => {
            assert_eq!((refused.status, refused.code()), (status, Some(code)));
        }
        other => panic!("{other:?}"),
    }
}
