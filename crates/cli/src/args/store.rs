//! The arguments of the commands on a whole store: copies, exports and sweeps.

use std::path::PathBuf;

use clap::Args;

#[derive(Args, Debug)]
pub(crate) struct FileArgs {
    /// The file, or - for standard output or input
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
    /// Only say what would be done, and which files would be removed
    #[arg(long)]
    pub(crate) dry_run: bool,
}

/// The right to take over a folder of training data (PLACE-2).
#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct AdoptArgs {
    /// Take the folder of training data over, whatever store it belongs to, and say which files would go
    #[arg(long)]
    pub(crate) adopt: bool,
}

#[cfg(feature = "sqlite")]
#[derive(Args, Debug)]
pub(crate) struct CopyArgs {
    /// The copy
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
