//! `portreeve crds`: the definitions of the kinds, generated from their types.

use anyhow::Context as _;
use clap::Args;

use crate::api;

#[derive(Debug, Args)]
pub(super) struct Options {
    /// Write each definition into a file of this folder, named after it, instead of printing all.
    #[arg(long, value_name = "FOLDER")]
    output: Option<std::path::PathBuf>,
}

pub(super) fn run(options: &Options) -> anyhow::Result<()> {
    for crd in api::crds() {
        let yaml = serde_saphyr::to_string(&crd)?;
        let name = crd.metadata.name.unwrap_or_default();
        match &options.output {
            Some(folder) => {
                let path = folder.join(format!("{name}.yaml"));
                std::fs::write(&path, yaml)
                    .with_context(|| format!("can't write {}", path.display()))?;
            }
            None => super::say(&format!("---\n{}", yaml.trim_end())),
        }
    }
    Ok(())
}
