//! Operations that change a model or delete it.

use std::sync::Arc;

use axum::extract::{Request, State};
use custom_models_core::{Caller, Edit, Operation, UpdateModel};

use crate::request::context::{Arrived, both};
use crate::response::{Answer, Said};
use crate::state::Service;

/// `POST /api/v3/custom_models/{id}`
pub(crate) async fn update(State(service): State<Arc<Service>>, request: Request) -> Answer {
    Arrived::new(service, request).answer(Operation::Update, updated).await
}

async fn updated(asked: &mut Arrived, caller: &Caller) -> Said {
    let model = asked.model(caller, 0).await?;
    asked.check(caller, &model, &Edit::Update(UpdateModel::default()))?;
    let body = asked.json().await?;
    let (update, ()) = both(UpdateModel::from_json(&body), asked.no_parameters())?;
    let edit = Edit::Update(update.into_owned());
    let edited = asked.edited(caller, model.id, edit, None).await?;
    asked.said(edited)
}

/// `DELETE /api/v3/custom_models/{id}`
pub(crate) async fn delete(State(service): State<Arc<Service>>, request: Request) -> Answer {
    Arrived::new(service, request).answer(Operation::Delete, deleted).await
}

async fn deleted(asked: &mut Arrived, caller: &Caller) -> Said {
    let (id, organisation) = (asked.id(0)?, caller.organisation().clone());
    let edited = asked.edited_without_body(caller, id, Edit::Delete).await?;
    asked.service.clear(move |contents| contents.remove_model(&organisation, id));
    asked.said(edited)
}
