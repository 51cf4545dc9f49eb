//! `portreeve check`: what the policies would find of manifests, before anybody applies them.
//!
//! It reads the files ([`manifests`]), puts the policies into effect ([`policies`]), makes the world
//! that the manifests would be applied in ([`world`]) and asks the one judgement that admission asks
//! ([`judging`]); [`case`] joins all that. Of what it can't use it tells all ([`fault`]), and then
//! judges nothing: half a judgement could be taken for a whole one.

mod case;
mod documents;
mod fault;
mod files;
mod judging;
mod manifests;
mod node;
mod output;
mod policies;
mod progress;
mod schema;
mod summary;
mod world;

use std::io::{self, ErrorKind, Write as _};
use std::panic::resume_unwind;
use std::path::PathBuf;
use std::process::ExitCode;
use std::thread;

use clap::Args;

use super::ClusterOptions;
use crate::controllers::survey::Survey;
use crate::policy::pod::certificates::NOT_FOUND;

use case::Case;
use fault::{Fault, note};
use judging::Told;
use output::Format;
use progress::Progress;
use summary::Summary;

/// What the command ends with where what is given can't be used.
const UNUSABLE: u8 = 2;

/// How large the stack is that values are read and judged on, in bytes.
const STACK: usize = 64 * 1024 * 1024;

/// Judges manifests by PodPolicies and PkiPolicies before they are applied.
///
/// Pods, workloads and Pkis are judged as they would be at `kubectl apply`, in the same words, as if
/// each was made anew by a cluster administrator, and with what policies add to Pods taken for added.
/// The API server fills in defaults before anything is judged; here each object is judged as it is
/// written. Namespaces and Pkis among the manifests are taken as being there.
///
/// It ends with 0 if nothing would be refused, with 1 if anything would, and with 2 if what is given
/// can't be used: then nothing is judged.
#[derive(Debug, Args)]
pub(super) struct Options {
    /// Manifests, in YAML or JSON: files, folders with all that is below them (.yaml, .yml, .json),
    /// or `-` for standard input.
    #[arg(value_name = "PATH", required = true)]
    paths: Vec<PathBuf>,
    #[command(flatten)]
    policies: PolicyOptions,
    #[command(flatten)]
    cluster: ClusterOptions,
    /// The namespace of objects that name none.
    #[arg(short, long, value_name = "NAME", default_value = "default")]
    namespace: String,
    /// How to print.
    #[arg(short, long, value_enum, default_value_t = Format::Text)]
    output: Format,
}

/// Where the policies are.
#[derive(Debug, Args)]
#[group(required = true, multiple = true)]
struct PolicyOptions {
    /// PodPolicies and PkiPolicies, in a file or a folder; may be repeated. Namespaces in it are
    /// used too, for their labels.
    #[arg(long, value_name = "PATH")]
    policy: Vec<PathBuf>,
    /// Judge by the policies of the cluster, and by what else they ask of it, as far as you may read
    /// it. A --policy of the same name goes before the cluster's.
    #[arg(long)]
    policies_from_cluster: bool,
}

pub(super) async fn run(options: &Options) -> ExitCode {
    let checked = async {
        case::check_command(options).map_err(|fault| vec![fault])?;
        let survey = case::look_at_cluster(options).await.map_err(|fault| vec![fault])?;
        let cannot = |error: io::Error| vec![Fault::of_command(format!("can't begin: {error}"))];
        on_large_stack(|| check(options, survey)).map_err(cannot)?
    };
    checked.await.unwrap_or_else(|faults| {
        fault::tell(&faults);
        ExitCode::from(UNUSABLE)
    })
}

/// Does it where there is room for what is nested as deep as is read at all.
fn on_large_stack<T: Send>(work: impl FnOnce() -> T + Send) -> io::Result<T> {
    thread::scope(|scope| {
        let worker = thread::Builder::new().name("check".to_owned()).stack_size(STACK);
        let worker = worker.spawn_scoped(scope, work)?;
        Ok(worker.join().unwrap_or_else(|panic| resume_unwind(panic)))
    })
}

fn check(options: &Options, survey: Option<Survey>) -> Result<ExitCode, Vec<Fault>> {
    let mut progress = Progress::new();
    let case = Case::read(options, survey, &mut progress)?;
    let (told, summary) = judge(&case, &mut progress);
    drop(progress);
    if !case.knows_pkis && told.iter().any(|told| told.finding.reason == NOT_FOUND) {
        note(
            "nothing is known of the cluster's Pkis: one that is not among the manifests is taken \
             as not being there",
        );
    }
    let printed = options.output.printed(&told);
    let printed = printed.map_err(|error| vec![Fault::of_command(error.to_string())])?;
    match io::stdout().lock().write_all(printed.as_bytes()) {
        // Whoever closed the other end did not want to hear the rest.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => {}
        Err(error) => {
            let message = format!("can't write to standard output: {error}");
            return Err(vec![Fault::of_command(message)]);
        }
        Ok(()) => {}
    }
    let _ = writeln!(io::stderr(), "{summary}");
    Ok(if summary.errors == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Judges all objects, in the order of the files and of their lines.
fn judge(case: &Case, progress: &mut Progress) -> (Vec<Told>, Summary) {
    let manifests = &case.manifests;
    let mut summary = Summary { files: manifests.files, ..Summary::default() };
    let mut told = Vec::new();
    for (number, manifest) in manifests.objects.iter().enumerate() {
        progress.at("objects", number, manifests.objects.len());
        let judged = judging::judged(manifest, &case.namespace, &case.snapshot);
        told.extend(summary.count(judged));
    }
    (told, summary)
}
