//! `criba train`: a Bayes model from sorted mail, at once or in three steps.

use std::{
    path::{Path, PathBuf},
    time::Instant,
};

use super::{
    count::{self, Counted},
    failure::Failure,
    learn::spool_failure,
};
use crate::bayes::{Class, Corpus, Error, MIN_MESSAGES, Options, Report, Spool};

/// Options of `criba train`.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true, arg_required_else_help = true)]
pub struct Args {
    #[command(subcommand)]
    step: Option<Step>,
    #[command(flatten)]
    mail: Option<Mail>,
    /// Where the model goes; an engine that has the old one open keeps it until it reloads
    #[arg(long, value_name = "MODEL")]
    out: Option<PathBuf>,
    /// Add to the messages that this model was trained with (its MODEL.counts must lie beside it)
    #[arg(long, value_name = "MODEL")]
    from: Option<PathBuf>,
    /// Take in the mail that users sorted (`criba learn`), and empty the spool when the model is written
    #[arg(long, value_name = "DIR")]
    spool: Option<PathBuf>,
    /// Take messages out again, of either class; what comes out is as if they had never been there
    #[arg(long, value_name = "PATH", requires = "from")]
    forget: Vec<PathBuf>,
    /// Don't write MODEL.counts, which --from needs later
    #[arg(long)]
    no_counts: bool,
    #[command(flatten)]
    expiry: Expiry,
}

/// What is left out.
#[derive(Clone, Copy, Debug, clap::Args)]
struct Expiry {
    /// Leave out messages that were last counted more than so many days ago
    #[arg(long, value_name = "DAYS")]
    max_age: Option<u16>,
    /// Leave out tokens that stand in fewer messages
    #[arg(long, value_name = "N", default_value_t = Options::default().rarest)]
    rarest: u32,
}

impl Expiry {
    /// Drops what is too old.
    fn expire(self, corpus: &mut Corpus) {
        if let Some(days) = self.max_age {
            let expired = corpus.expire(count::today() - i32::from(days));
            eprintln!("{expired} messages expired");
        }
    }
}

/// Sorted mail.
#[derive(Debug, clap::Args)]
#[group(required = false, multiple = true)]
struct Mail {
    /// Spam: files, directories, maildirs, mbox files; may be given several times
    #[arg(long, value_name = "PATH")]
    spam: Vec<PathBuf>,
    /// Ham, likewise
    #[arg(long, value_name = "PATH")]
    ham: Vec<PathBuf>,
}

#[derive(Debug, clap::Subcommand)]
enum Step {
    /// Count the tokens of sorted mail, here or on many machines
    Count {
        #[command(flatten)]
        mail: Mail,
        /// Where the counts go
        #[arg(long, value_name = "COUNTS")]
        out: PathBuf,
    },
    /// Put counts together
    Merge {
        /// Files that `count` or `merge` wrote
        #[arg(required = true, value_name = "COUNTS")]
        counts: Vec<PathBuf>,
        /// Where the merged counts go
        #[arg(long, value_name = "COUNTS")]
        out: PathBuf,
    },
    /// Make the model of counts
    Build {
        /// Files that `count` or `merge` wrote
        #[arg(required = true, value_name = "COUNTS")]
        counts: Vec<PathBuf>,
        /// Where the model goes
        #[arg(long, value_name = "MODEL")]
        out: PathBuf,
        #[command(flatten)]
        expiry: Expiry,
    },
}

/// Runs the command.
///
/// # Errors
/// Mail or counts cannot be read, are of one class only, or the model cannot be written.
pub fn run(args: Args) -> Result<(), Failure> {
    match args.step {
        Some(Step::Count { mail, out }) => {
            need_mail(&mail)?;
            let mut counted = count::count(&mail.spam, &mail.ham)?;
            let duplicates = counted.corpus.unify();
            report_counting(&counted, duplicates);
            write_counts(&counted.corpus, &out)
        }
        Some(Step::Merge { counts, out }) => {
            let (corpus, duplicates) = merge(&counts)?;
            eprintln!("{} messages, {duplicates} duplicates left out", corpus.len());
            write_counts(&corpus, &out)
        }
        Some(Step::Build { counts, out, expiry }) => {
            let (mut corpus, _) = merge(&counts)?;
            expiry.expire(&mut corpus);
            build(corpus, &out, expiry)
        }
        None => at_once(args),
    }
}

fn at_once(args: Args) -> Result<(), Failure> {
    let Some(out) = args.out else {
        return Err(Failure::usage("--out MODEL: say where the model shall go"));
    };
    let feedback = args.spool.as_deref().map(Feedback::open).transpose()?;
    let mail = args.mail.unwrap_or(Mail { spam: Vec::new(), ham: Vec::new() });
    let has_mail = !mail.spam.is_empty() || !mail.ham.is_empty();
    match &feedback {
        Some(feedback) if feedback.is_empty() && !has_mail && args.forget.is_empty() => {
            eprintln!("the spool is empty: there is nothing to learn");
            return Ok(());
        }
        // What is there already may be all, with other limits.
        None if args.from.is_none() => need_mail(&mail)?,
        _ => {}
    }
    let mut counted = count::count(&mail.spam, &mail.ham)?;
    if let Some(from) = &args.from {
        counted.corpus.append(&read_counts(&counts_of(from))?);
    }
    if let Some(feedback) = &feedback {
        let learned = count::count(&feedback.spam, &feedback.ham)?;
        let changed = counted.corpus.overrule(&learned.corpus);
        eprintln!("{} messages of feedback; {changed} changed their class", learned.inputs.len());
        counted.corpus.append(&learned.corpus);
        counted.unreadable += learned.unreadable;
    }
    if !args.forget.is_empty() {
        let unwanted = count::count(&args.forget, &[])?;
        let forgotten = counted.corpus.forget(&unwanted.corpus);
        eprintln!("{forgotten} messages forgotten of {} that were given", unwanted.inputs.len());
    }
    let duplicates = counted.corpus.unify();
    report_counting(&counted, duplicates);
    let mut corpus = counted.corpus;
    args.expiry.expire(&mut corpus);
    if !args.no_counts {
        write_counts(&corpus, &counts_of(&out))?;
    }
    build(corpus, &out, args.expiry)?;
    // Not before the model is on the disk: what is learned twice is learned once.
    feedback.map_or(Ok(()), Feedback::done)
}

/// The mail that waits in a spool.
struct Feedback {
    spool: Spool,
    spam: Vec<PathBuf>,
    ham: Vec<PathBuf>,
}

impl Feedback {
    fn open(directory: &Path) -> Result<Feedback, Failure> {
        // What is taken out needs no bound.
        let spool = Spool::open(directory, u64::MAX).map_err(spool_failure)?;
        let waiting = |class| spool.waiting(class).map_err(spool_failure);
        let (spam, ham) = (waiting(Class::Spam)?, waiting(Class::Ham)?);
        Ok(Feedback { spool, spam, ham })
    }

    fn is_empty(&self) -> bool {
        self.spam.is_empty() && self.ham.is_empty()
    }

    fn done(self) -> Result<(), Failure> {
        [self.spam, self.ham].iter().try_for_each(|paths| self.spool.remove(paths).map_err(spool_failure))
    }
}

fn need_mail(mail: &Mail) -> Result<(), Failure> {
    if mail.spam.is_empty() && mail.ham.is_empty() {
        return Err(Failure::usage("--spam PATH and --ham PATH: say where the sorted mail is"));
    }
    Ok(())
}

/// The file beside a model that holds what it was trained with.
fn counts_of(model: &Path) -> PathBuf {
    let mut name = model.as_os_str().to_owned();
    name.push(".counts");
    name.into()
}

fn merge(paths: &[PathBuf]) -> Result<(Corpus, usize), Failure> {
    let mut all = Corpus::default();
    for path in paths {
        all.append(&read_counts(path)?);
    }
    let duplicates = all.unify();
    Ok((all, duplicates))
}

fn read_counts(path: &Path) -> Result<Corpus, Failure> {
    Corpus::read(path).map_err(|error| match error {
        Error::Io(_) => Failure::no_input(format!("{}: {error}", path.display())),
        _ => Failure::data(format!("{}: {error}", path.display())),
    })
}

fn write_counts(corpus: &Corpus, path: &Path) -> Result<(), Failure> {
    corpus.write(path).map_err(|error| Failure::cannot_create(format!("{}: {error}", path.display())))
}

fn build(mut corpus: Corpus, out: &Path, expiry: Expiry) -> Result<(), Failure> {
    let started = Instant::now();
    let options = Options { rarest: expiry.rarest, ..Options::default() };
    let (model, report) = corpus.build(&options).map_err(Failure::data)?;
    let seconds = started.elapsed().as_secs_f64();
    model.write(out).map_err(|error| Failure::cannot_create(format!("{}: {error}", out.display())))?;
    report_model(&report, out, model.as_bytes().len(), seconds);
    Ok(())
}

fn report_counting(counted: &Counted, duplicates: usize) {
    let seconds = counted.elapsed.as_secs_f64();
    eprintln!(
        "{} messages counted in {seconds:.2} s ({:.0} a second); {duplicates} duplicates left out, {} unreadable",
        counted.inputs.len(),
        counted.inputs.len() as f64 / seconds.max(1e-9),
        counted.unreadable,
    );
}

fn report_model(report: &Report, out: &Path, bytes: usize, seconds: f64) {
    let messages = report.spam + report.ham;
    eprintln!(
        "{}: {} spam, {} ham, {} tokens, {:.1} MB; learned in {seconds:.2} s ({:.0} messages a second)",
        out.display(),
        report.spam,
        report.ham,
        report.tokens,
        bytes as f64 / 1e6,
        messages as f64 / seconds.max(1e-9),
    );
    if report.spam.min(report.ham) < MIN_MESSAGES {
        eprintln!(
            "criba: this model will abstain: it takes at least {MIN_MESSAGES} different messages of each class"
        );
    } else if let Some(unseen) = &report.unseen {
        let (lost, missed) = unseen.errors(0.5);
        eprintln!(
            "told before it had learned them: {lost} ham lost, {missed} spam missed at 0.5, 1-AUC {:.4} %, LAM {:.3} %",
            unseen.area_above(),
            unseen.lam(0.5),
        );
    }
}
