//! `criba train`: a Bayes model from sorted mail, at once or in three steps.

use std::{
    path::{Path, PathBuf},
    time::Instant,
};

use super::{
    count::{self, Counted, Keep},
    failure::Failure,
    learn::spool_failure,
};
use crate::bayes::{Class, Corpus, Error, MIN_MESSAGES, Memory, Options, Report, Spool};

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
    #[command(flatten)]
    bound: Bound,
}

/// What may lie in memory.
#[derive(Clone, Debug, Default, clap::Args)]
struct Bound {
    /// Hold so many megabytes of tokens in memory, what is more in files without a name; a message takes 6 KB
    #[arg(long, value_name = "MB")]
    memory: Option<usize>,
    /// Where those files go, instead of the system's temporary directory
    #[arg(long, value_name = "DIR", requires = "memory")]
    temp: Option<PathBuf>,
}

impl Bound {
    fn memory(&self) -> Memory {
        let mut memory = Memory::default();
        if let Some(megabytes) = self.memory {
            memory.bytes = megabytes.saturating_mul(1 << 20);
        }
        if let Some(directory) = &self.temp {
            memory.directory.clone_from(directory);
        }
        memory
    }
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
        #[command(flatten)]
        bound: Bound,
    },
    /// Put counts together
    Merge {
        /// Files that `count` or `merge` wrote
        #[arg(required = true, value_name = "COUNTS")]
        counts: Vec<PathBuf>,
        /// Where the merged counts go
        #[arg(long, value_name = "COUNTS")]
        out: PathBuf,
        #[command(flatten)]
        bound: Bound,
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
        #[command(flatten)]
        bound: Bound,
    },
}

/// Runs the command.
///
/// # Errors
/// Mail or counts cannot be read, are of one class only, or the model cannot be written.
pub fn run(args: Args) -> Result<(), Failure> {
    match args.step {
        Some(Step::Count { mail, out, bound }) => {
            need_mail(&mail)?;
            let mut counted = count::count(&mail.spam, &mail.ham, &bound.memory(), Keep::Nothing)?;
            let duplicates = counted.corpus.unify();
            report_counting(&counted, duplicates);
            write_counts(&counted.corpus, &out)
        }
        Some(Step::Merge { counts, out, bound }) => {
            let (corpus, duplicates) = merge(&counts, &bound.memory())?;
            eprintln!("{} messages, {duplicates} duplicates left out", corpus.len());
            write_counts(&corpus, &out)
        }
        Some(Step::Build { counts, out, expiry, bound }) => {
            let (mut corpus, _) = merge(&counts, &bound.memory())?;
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
    let memory = args.bound.memory();
    let count = |spam: &[PathBuf], ham: &[PathBuf]| count::count(spam, ham, &memory, Keep::Nothing);
    let mut counted = count(&mail.spam, &mail.ham)?;
    if let Some(from) = &args.from {
        add(&mut counted.corpus, read_counts(&counts_of(from), &memory)?, &memory)?;
    }
    if let Some(feedback) = &feedback {
        let learned = count(&feedback.spam, &feedback.ham)?;
        let changed = counted.corpus.overrule(&learned.corpus);
        eprintln!("{} messages of feedback; {changed} changed their class", learned.messages);
        add(&mut counted.corpus, learned.corpus, &memory)?;
        counted.unreadable += learned.unreadable;
    }
    if !args.forget.is_empty() {
        let unwanted = count(&args.forget, &[])?;
        let forgotten = counted.corpus.forget(&unwanted.corpus);
        eprintln!("{forgotten} messages forgotten of {} that were given", unwanted.messages);
    }
    let duplicates = counted.corpus.unify();
    report_counting(&counted, duplicates);
    let mut corpus = counted.corpus;
    args.expiry.expire(&mut corpus);
    if !args.no_counts {
        write_counts(&corpus, &counts_of(&out))?;
    }
    build(corpus, &out, args.expiry)?;
    report_speed(counted.messages);
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

fn merge(paths: &[PathBuf], memory: &Memory) -> Result<(Corpus, usize), Failure> {
    let mut all = Corpus::within(memory);
    for path in paths {
        add(&mut all, read_counts(path, memory)?, memory)?;
    }
    let duplicates = all.unify();
    Ok((all, duplicates))
}

fn add(all: &mut Corpus, more: Corpus, memory: &Memory) -> Result<(), Failure> {
    all.append(more);
    all.relieve().map_err(|error| count::cannot_spill(memory, &error))
}

fn read_counts(path: &Path, memory: &Memory) -> Result<Corpus, Failure> {
    Corpus::read(path, memory).map_err(|error| match error {
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
        counted.messages,
        counted.messages as f64 / seconds.max(1e-9),
        counted.unreadable,
    );
}

/// Messages a second that one core would do, by the time that all of them worked since the start.
fn report_speed(messages: usize) {
    let spent = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    let seconds = spent.tv_sec as f64 + spent.tv_nsec as f64 / 1e9;
    let speed = messages as f64 / seconds.max(1e-9);
    match messages {
        // Counts of before were all there was.
        0 => eprintln!("all in all {seconds:.2} s of CPU time"),
        _ => eprintln!("all in all {seconds:.2} s of CPU time ({speed:.0} messages a second and core)"),
    }
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
