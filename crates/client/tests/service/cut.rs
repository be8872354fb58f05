//! Connections that are cut after the write, before the response.

use std::net::SocketAddr;

use custom_models_client::{Client, Error};
use custom_models_core::UpdateModel;
use custom_models_core::model::Expected;
use futures_util::StreamExt;
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};

use crate::support::{Service, named};

/// Starts a proxy that cuts its first `cuts` connections when the service responds.
async fn cutting_proxy(service: SocketAddr, cuts: usize) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        for number in 0.. {
            let (mut client, _) = listener.accept().await.unwrap();
            let mut upstream = TcpStream::connect(service).await.unwrap();
            tokio::spawn(async move {
                if number < cuts {
                    until_the_response(&mut client, &mut upstream).await;
                } else {
                    let _ = copy_bidirectional(&mut client, &mut upstream).await;
                }
            });
        }
    });
    address
}

/// Forwards the request, and returns when the service has responded.
async fn until_the_response(client: &mut TcpStream, upstream: &mut TcpStream) {
    let mut request = vec![0; 1 << 16];
    let mut response = [0];
    loop {
        tokio::select! {
            count = client.read(&mut request) => match count {
                Ok(count @ 1..) => upstream.write_all(&request[..count]).await.unwrap(),
                _ => return,
            },
            _ = upstream.read(&mut response) => return,
        }
    }
}

async fn client_of(service: &Service, cuts: usize) -> Client {
    let proxy = cutting_proxy(service.address, cuts).await;
    service.builder_of(proxy).build().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_create_whose_response_is_lost_twice_makes_one_model() {
    let service = Service::start().await;
    let created = client_of(&service, 2).await.create(&named("n")).await.unwrap();
    assert!(created.is_replayed);
    assert_eq!((created.id.get(), service.models()), (1, 1));
    assert_eq!(service.waits().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_whose_response_is_lost_adds_one_pair() {
    let service = Service::start().await;
    let id = service.client().create(&named("n")).await.unwrap().id;
    let client = client_of(&service, 1).await;
    assert!(client.upload(id, &crate::uploads::upload()).await.unwrap().is_replayed);
    assert_eq!(client.pairs(id).count().await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_whose_response_is_lost_starts_one_training() {
    let service = Service::start().await;
    let id = service.client().create(&named("n")).await.unwrap().id;
    service.has_data(id, 18_000);
    let client = client_of(&service, 1).await;
    let running = client.run(id, &Expected::Anything).await.unwrap();
    assert!(running.is_replayed && running.retry_after.is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_update_whose_response_is_lost_is_left_to_the_caller() {
    let service = Service::start().await;
    let model = service.client().create(&named("n")).await.unwrap();
    let client = client_of(&service, 1).await;
    let update = UpdateModel::builder().name("m").build().unwrap();
    let lost = client.update(model.id, &update, &Expected::Anything).await;
    let Err(Error::Transport(fault)) = lost else { panic!("{lost:?}") };
    assert!(!fault.is_connect() && !fault.is_timeout());
    assert_eq!(service.waits(), []);
    assert_eq!(client.get(model.id).await.unwrap().revision(), model.revision().next());
}
