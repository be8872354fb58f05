//! The arguments of the commands on organisations and keys.

use clap::{Args, Subcommand};
use custom_models_core::Organisation;
use custom_models_core::access::Scope;

use crate::config::span::Span;

#[derive(Debug, Subcommand)]
pub(crate) enum OrgCommand {
    /// Register an organisation, on the plan that --plan names
    Add(OrgArgs),
    /// Print all organisations and their plans
    List,
    /// Move an organisation to the plan that --plan names; its models stay
    SetPlan(OrgArgs),
    /// Erase an organisation: its keys, models, training data with files, and history
    Delete(EraseArgs),
}

#[derive(Args, Debug)]
pub(crate) struct OrgArgs {
    /// The organisation's name
    #[arg(value_name = "NAME")]
    pub(crate) name: Organisation,
}

#[derive(Args, Debug)]
pub(crate) struct EraseArgs {
    /// The organisation's name
    #[arg(value_name = "NAME")]
    pub(crate) name: Organisation,
    /// Confirm; without this nothing is erased
    #[arg(long)]
    pub(crate) yes: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum KeyCommand {
    /// Create a key for a registered organisation, and print it once
    Create(KeyArgs),
    /// Print the organisation's keys, without their secrets
    List,
    /// Revoke a key of the organisation, by its id
    Revoke {
        /// The id: the 12 characters between cm_ and the secret
        // Parsed by the command, because clap would repeat a whole key in its error.
        #[arg(value_name = "ID")]
        id: String,
    },
}

#[derive(Args, Debug)]
pub(crate) struct KeyArgs {
    /// The rights of the key: custom_models:write, custom_models:read or training:work
    #[arg(long = "scope", value_name = "SCOPE", required = true, num_args = 1..)]
    pub(crate) scopes: Vec<Scope>,
    /// The lifetime of the key, such as 90d (units s, m, h, d) [default: until it is revoked]
    #[arg(long, value_name = "DURATION")]
    pub(crate) expires_in: Option<Span>,
}
