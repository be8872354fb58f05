//! Candidates for the values of options, for completion. The engine decides which values are valid.

use std::ffi::OsStr;

use clap::{Arg, Command, CommandFactory, FromArgMatches};
use clap_complete::engine::{
    ArgValueCandidates, ArgValueCompleter, CompletionCandidate, PathCompleter, ValueCompleter,
};
use custom_models_core::access::Scope;
use custom_models_core::model::{DataType, TrainingStatus};
use custom_models_core::store::{OpenMode, Selection, Store, StoreError};
use custom_models_core::{BaseModel, Language, Plan};

use crate::args::Cli;
use crate::config::global::Global;
use crate::config::settings::Settings;

/// The largest number of models that are proposed.
const MOST: u32 = 1000;

/// Adds candidates to the arguments of a command and of those below it.
pub(super) fn propose(command: Command) -> Command {
    let name = command.get_name().to_owned();
    command.mut_args(|argument| propose_for(&name, argument)).mut_subcommands(propose)
}

/// Adds candidates to an argument of a command.
fn propose_for(command: &str, argument: Arg) -> Arg {
    match (command, argument.get_id().as_str()) {
        (_, "store") => argument.add(stores()),
        (_, "org" | "only") | ("add" | "set-plan" | "delete", "name") => {
            argument.add(organisations())
        }
        (_, "plan") => argument.add(plans()),
        ("revoke", "id") => argument.add(keys()),
        (_, "id") | ("list", "after") => argument.add(models()),
        (_, "language") => argument.add(languages()),
        (_, "base_model") => argument.add(base_models()),
        (_, "status") => argument.add(statuses()),
        (_, "data_type") => argument.add(data_types()),
        (_, "scopes") => argument.add(scopes()),
        _ => argument,
    }
}

/// The codes of languages.
fn languages() -> ArgValueCandidates {
    ArgValueCandidates::new(|| Language::ALL.iter().map(|it| it.as_str().into()).collect())
}

/// The names of base models.
fn base_models() -> ArgValueCandidates {
    ArgValueCandidates::new(|| BaseModel::ALL.map(|it| it.as_str().into()).into())
}

/// The scopes of a key.
fn scopes() -> ArgValueCandidates {
    ArgValueCandidates::new(|| Scope::ALL.map(|it| it.as_str().into()).into())
}

/// The types of training data.
fn data_types() -> ArgValueCandidates {
    ArgValueCandidates::new(|| DataType::ALL.map(|it| it.as_str().into()).into())
}

/// The numbers of training statuses, with their names.
fn statuses() -> ArgValueCandidates {
    let candidate = |status: TrainingStatus| {
        let name = format!("{status:?}");
        CompletionCandidate::new(status.number().to_string()).help(Some(name.into()))
    };
    ArgValueCandidates::new(move || TrainingStatus::ALL.map(candidate).into())
}

/// The plans, with those of the file that `--config` names.
fn plans() -> ArgValueCandidates {
    ArgValueCandidates::new(|| {
        let settings = global().and_then(|global| Settings::read(global.config.as_deref()).ok());
        let settings = settings.unwrap_or_default();
        settings.plans.iter().map(Plan::name).map(CompletionCandidate::new).collect()
    })
}

/// The kinds of stores, and files after `sqlite:` and `sled:`.
fn stores() -> ArgValueCompleter {
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

/// The ids of the organisation's models, with their names.
fn models() -> ArgValueCandidates {
    ArgValueCandidates::new(|| {
        in_store(|store, global| {
            let mut found = Vec::new();
            let part = Selection { limit: MOST, ..Selection::default() };
            for model in store.list(&global.org, &part)?.models {
                let name = model.name.as_str().to_owned().into();
                found.push(CompletionCandidate::new(model.id.to_string()).help(Some(name)));
            }
            Ok(found)
        })
    })
}

/// The organisations that are registered, with their plans.
fn organisations() -> ArgValueCandidates {
    ArgValueCandidates::new(|| {
        in_store(|store, _| {
            let registered = store.registrations()?.into_iter().map(|it| {
                let plan = it.plan.to_string().into();
                CompletionCandidate::new(it.organisation.to_string()).help(Some(plan))
            });
            Ok(registered.collect())
        })
    })
}

/// The ids of the organisation's keys that are not revoked, with their scopes.
fn keys() -> ArgValueCandidates {
    ArgValueCandidates::new(|| {
        in_store(|store, global| {
            let keys = store.keys(&global.org)?.into_iter();
            let keys = keys.filter(|key| key.revoked_at.is_none()).map(|key| {
                let scopes = key.scopes.to_string().into();
                CompletionCandidate::new(key.id.to_string()).help(Some(scopes))
            });
            Ok(keys.collect())
        })
    })
}

/// Finds candidates in the store that the completed command line names. Opens only an existing SQLite file,
/// because another store may be slow, or in use by one process.
fn in_store(
    look: impl FnOnce(&dyn Store, &Global) -> Result<Vec<CompletionCandidate>, StoreError>,
) -> Vec<CompletionCandidate> {
    let found = || {
        let global = global()?;
        global.store.sqlite_file().filter(|file| file.is_file())?;
        let store = global.store.opener(OpenMode::ReadOnly).ok()?().ok()?;
        let found = look(&*store, &global).ok();
        // Nothing was written that a close could lose.
        let _ = store.close();
        found
    };
    found().unwrap_or_default()
}

/// The global options of the line that is completed, as far as they can be parsed. Leaves out the word at the
/// cursor, and an option before it that has no value yet.
fn global() -> Option<Global> {
    let mut words: Vec<_> = std::env::args_os().skip_while(|word| word != "--").skip(1).collect();
    words.pop();
    words.pop_if(|word| word.as_encoded_bytes().starts_with(b"-"));
    let found = Cli::command().ignore_errors(true).try_get_matches_from(words).ok()?;
    Global::from_arg_matches(&found).ok()
}
