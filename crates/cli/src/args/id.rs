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
    /// Only if the model is at this revision; the API shows it as the ETag
    #[arg(long, value_name = "NUMBER")]
    pub(crate) if_revision: Option<std::num::NonZeroU64>,
}
