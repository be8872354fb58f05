//! The arguments that name a model.

use clap::Args;

#[derive(Args, Debug)]
pub(crate) struct IdArgs {
    /// The model's id
    #[arg(allow_negative_numbers = true)]
    pub(crate) id: String,
}

#[derive(Args, Debug)]
pub(crate) struct EditArgs {
    #[command(flatten)]
    pub(crate) id: IdArgs,
    /// Refuse unless the model is at this revision, which the API shows as the ETag
    #[arg(long, value_name = "NUMBER")]
    pub(crate) if_revision: Option<std::num::NonZeroU64>,
}
