//! The arguments of the commands on a whole store: copies, exports and sweeps.

use std::path::PathBuf;

use clap::Args;

#[derive(Args, Debug)]
pub(crate) struct FileArgs {
    /// The file; `-` for standard output or input
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
}

#[derive(Args, Debug)]
pub(crate) struct ImportArgs {
    #[command(flatten)]
    pub(crate) file: FileArgs,
    #[command(flatten)]
    pub(crate) folder: AdoptArgs,
}

#[derive(Args, Debug)]
pub(crate) struct SweepArgs {
    #[command(flatten)]
    pub(crate) folder: AdoptArgs,
    /// Print what a sweep would do, and change nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
}

/// The right to take over a folder of training data (PLACE-2).
#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct AdoptArgs {
    /// Take over the folder of training data from whatever store owns it, and list the files that sweeps will remove
    #[arg(long)]
    pub(crate) adopt: bool,
}

#[cfg(feature = "sqlite")]
#[derive(Args, Debug)]
pub(crate) struct CopyArgs {
    /// The file of the copy
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
}

#[cfg(feature = "sqlite")]
#[derive(Args, Debug)]
pub(crate) struct RestoreArgs {
    #[command(flatten)]
    pub(crate) copy: CopyArgs,
    #[command(flatten)]
    pub(crate) folder: AdoptArgs,
}
