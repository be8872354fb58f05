//! What may stand behind an option, for completion. The engine judges what does.

use std::ffi::OsStr;

use clap::{CommandFactory, FromArgMatches};
use clap_complete::engine::{
    ArgValueCandidates, ArgValueCompleter, CompletionCandidate, PathCompleter, ValueCompleter,
};
use custom_models_core::{BaseModel, DataType, Language, Plan, Scope, TrainingStatus};

use crate::args::{Cli, Global};
use crate::settings::Settings;

/// The codes of languages.
pub(crate) fn languages() -> ArgValueCandidates {
    ArgValueCandidates::new(|| Language::ALL.map(|it| it.as_str().into()).into())
}

/// The names of base models.
pub(crate) fn base_models() -> ArgValueCandidates {
    ArgValueCandidates::new(|| BaseModel::ALL.map(|it| it.as_str().into()).into())
}

/// The scopes of a key.
pub(crate) fn scopes() -> ArgValueCandidates {
    ArgValueCandidates::new(|| Scope::ALL.map(|it| it.as_str().into()).into())
}

/// The types of training data.
pub(crate) fn data_types() -> ArgValueCandidates {
    ArgValueCandidates::new(|| DataType::ALL.map(|it| it.as_str().into()).into())
}

/// The numbers of training statuses, with their names.
pub(crate) fn statuses() -> ArgValueCandidates {
    let candidate = |status: TrainingStatus| {
        let name = format!("{status:?}");
        CompletionCandidate::new(status.number().to_string()).help(Some(name.into()))
    };
    ArgValueCandidates::new(move || TrainingStatus::ALL.map(candidate).into())
}

/// The plans that are set up, those of the file that `--config` names among them.
pub(crate) fn plans() -> ArgValueCandidates {
    ArgValueCandidates::new(|| {
        let settings = global().and_then(|global| Settings::of(&global).ok());
        let settings = settings.unwrap_or_default();
        settings.plans.iter().map(Plan::name).map(CompletionCandidate::new).collect()
    })
}

/// The kinds of stores, and files behind `sqlite:` and `sled:`.
pub(crate) fn stores() -> ArgValueCompleter {
    ArgValueCompleter::new(|typed: &OsStr| {
        let typed = typed.to_string_lossy();
        for scheme in ["sqlite:", "sled:"] {
            if let Some(path) = typed.strip_prefix(scheme) {
                let found = PathCompleter::any().complete(OsStr::new(path));
                return found.into_iter().map(|it| it.add_prefix(scheme)).collect();
            }
        }
        let schemes = ["sqlite:", "sled:", "postgres://", "memory:"];
        schemes.into_iter().filter(|it| it.starts_with(&*typed)).map(Into::into).collect()
    })
}

/// The global options of the line that is completed, as far as they can be read.
fn global() -> Option<Global> {
    let words = std::env::args_os().skip_while(|word| word != "--").skip(1);
    let found = Cli::command().ignore_errors(true).try_get_matches_from(words).ok()?;
    Global::from_arg_matches(&found).ok()
}
