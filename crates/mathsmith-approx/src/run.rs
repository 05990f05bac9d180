//! A run from question to front, its folder, and how it is taken up again.
//!
//! A run folder holds `problem.smith` and `run.json` (the resolved question, version, host), `log.jsonl`, a checkpoint of
//! each search, and at the end `front.json` with the files of each program. What comes after a search is a pure function
//! of the search's result, so the checkpoints are all that resuming needs: an interrupted run that is resumed ends with
//! the same bytes.

use crate::bivariate;
use crate::composed::answer::{self, AnswerError, Effort, Step};
use crate::files::{self, FileError};
use crate::float::{self, Verified, objective::FloatObjective, polish};
use crate::front::{Entry, Equalities, Files, Front, SCHEMA, Search};
use crate::observe::{Event, Observer};
use crate::question::{Question, QuestionError};
use crate::space::{self, Arithmetic};
use crate::structure::{self, FrontEntry, Hooks, Outcome, RealTarget, SearchError, SearchSettings, SearchSpace};
use crate::{entry, pareto, question, real, seeds};
use mathsmith_dsl::{Problem, Reduce};
use mathsmith_fit::Nodes;
use mathsmith_reduce::Plan;
use mathsmith_search::{Budget, Control, Progress, SavePolicy, StopReason};
use mathsmith_verify::report::{hex, unhex};
use mathsmith_verify::{AdversarialStore, StoreError, VerifyError};
use serde::{Deserialize, Serialize};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Version of mathsmith, as it is written into every result.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Name of the file with the worst inputs of a run.
const ADVERSARIAL: &str = "adversarial.json";
/// Known inputs that the search itself looks at, which judges every candidate on each; the rest waits for the constants.
const MOST_KNOWN_IN_SEARCH: usize = 256;

/// Candidates for the constants of whole programs that are tried where no budget is given.
const COMPOSED_EVALUATIONS: u64 = 3_000_000;
/// Nodes of the real fit of a float question.
const FIT_NODES: usize = 32;
/// Share of a time limit that the search may use; the rest is for constants and sweeps.
const SEARCH_SHARE: (u64, u64) = (1, 2);
/// The same for real arithmetic, where little comes after the search.
const REAL_SEARCH_SHARE: (u64, u64) = (9, 10);

/// What changes how a run goes but not what it finds.
#[derive(Clone, Debug, Default)]
pub struct RunOptions {
    /// Threads, at least 1.
    pub threads: usize,
    /// Folder for the results; without one nothing is written.
    pub out: Option<PathBuf>,
    /// Take up the checkpoints of the folder.
    pub resume: bool,
}

/// Why a run did not end with a front.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The question makes no sense in some respect.
    #[error(transparent)]
    Question(#[from] QuestionError),
    /// The run was asked to stop; its folder, if it has one, can be resumed.
    #[error("interrupted")]
    Interrupted,
    /// A file could not be read or written.
    #[error(transparent)]
    File(#[from] FileError),
    /// The search could not run.
    #[error(transparent)]
    Search(#[from] SearchError),
    /// A verification failed.
    #[error(transparent)]
    Verify(#[from] VerifyError),
    /// Whole programs could not be made.
    #[error(transparent)]
    Answer(#[from] AnswerError),
    /// The inputs kept by measurements could not be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The folder holds no run, or a damaged one.
    #[error("{}: {what}", path.display())]
    Record {
        /// The file.
        path: PathBuf,
        /// What is wrong with it and what to do.
        what: String,
    },
    /// A verified program could not be written in a language.
    #[error(transparent)]
    Emit(#[from] mathsmith_emit::EmitError),
}

/// What identifies a run: the content of `run.json`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Record {
    /// Shape of the record.
    pub schema: u32,
    /// The resolved question.
    pub problem: Problem,
    /// Version of mathsmith.
    pub version: String,
    /// Machine and system; no result depends on it.
    pub host: Host,
    /// Evaluations that a time limit allowed, once it is known.
    pub allowed: Option<u64>,
    /// Inputs that the setting `adversarial` has brought, hexadecimal floats: the file may change while a run is interrupted.
    #[serde(default)]
    pub known: Vec<String>,
}

/// Where a run was made.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Host {
    /// Processor architecture.
    pub arch: String,
    /// Operating system.
    pub os: String,
    /// Whether the processor has fused multiply-add.
    pub fma: bool,
}

impl Host {
    fn this() -> Host {
        Host {
            arch: std::env::consts::ARCH.into(),
            os: std::env::consts::OS.into(),
            fma: mathsmith_jit::Host::detect().has_fma(),
        }
    }
}

/// Reads the record of a run folder.
///
/// # Errors
/// [`RunError`] if there is none, it is damaged, or another version wrote it.
pub fn record(dir: &Path) -> Result<Record, RunError> {
    let path = dir.join("run.json");
    let text = files::read(&path)?;
    let record: Record = serde_json::from_str(&text).map_err(|e| RunError::Record {
        path: path.clone(),
        what: format!("not the record of a run ({e}); name the folder of a run, or start it anew"),
    })?;
    if record.version != VERSION || record.schema != SCHEMA {
        return Err(RunError::Record {
            path,
            what: format!(
                "written by mathsmith {}, this is {VERSION}; resume it with that version, or start it anew",
                record.version
            ),
        });
    }
    Ok(record)
}

struct Run<'a> {
    question: &'a Question,
    options: &'a RunOptions,
    observer: &'a dyn Observer,
    record: Record,
    log: Option<std::fs::File>,
    /// Held while the run writes into its folder.
    lock: Option<files::Lock>,
}

/// Answers a question.
///
/// # Errors
/// [`RunError`]; [`RunError::Interrupted`] after the checkpoints are written.
pub fn run(question: &Question, options: &RunOptions, observer: &dyn Observer) -> Result<Front, RunError> {
    let record = match (&options.out, options.resume) {
        (Some(dir), true) => record(dir)?,
        _ => Record {
            schema: SCHEMA,
            problem: question.problem.clone(),
            version: VERSION.into(),
            host: Host::this(),
            allowed: None,
            known: known(question)?,
        },
    };
    // What does not fit is said before anything is written.
    let plans = plans(question, observer)?;
    let mut run = Run { question, options, observer, record, log: None, lock: None };
    run.open()?;
    for note in &question.notes {
        observer.event(&Event::Note(note.clone()));
    }
    if !run.record.known.is_empty() {
        let what =
            format!("{} inputs kept by measurements join those that candidates are judged on", run.record.known.len());
        observer.event(&Event::Note(what));
    }
    let mut front = run.answer(&plans)?;
    if options.out.is_none() {
        // Nothing is written, so nothing is named.
        front.0.front.iter_mut().for_each(|e| e.files = Files::default());
    }
    run.finish(&front)?;
    Ok(front.0)
}

/// A plan and the arithmetic that it is for.
type Planned = (Arithmetic, Arc<Plan>);

/// The searches of structures, one a variant, and what sweeps have verified of what they found.
type Searched = (Vec<(Arithmetic, Outcome)>, Vec<Verified>);

/// The range reductions that fit the question, for every arithmetic that is asked for; none for real arithmetic.
fn plans(question: &Question, observer: &dyn Observer) -> Result<Vec<Planned>, RunError> {
    let mut all = Vec::new();
    if question.is_real() {
        return Ok(all);
    }
    observer.event(&Event::Stage("trying which range reductions fit the function".into()));
    for arithmetic in question.variants() {
        let fused = arithmetic == Arithmetic::Fma;
        let problem = &question.problem;
        let found = match question.pairs {
            Some(_) => {
                let span = bivariate::domain::span(problem)?;
                mathsmith_reduce::plans_of_two(&problem.reference, span, fused, &problem.reduce)
            }
            None => mathsmith_reduce::plans(&problem.reference, question.span(), fused, &problem.reduce),
        };
        let found = found.map_err(|e| {
            let text = e.to_string();
            let (message, help) = text.split_once("\n  help: ").unwrap_or((&text, "leave `--reduce` out"));
            let setting = if matches!(problem.reduce, Reduce::Auto) { "on" } else { "reduce" };
            QuestionError::new(setting, message, help)
        })?;
        all.extend(found.into_iter().map(|plan| (arithmetic, Arc::new(plan))));
    }
    Ok(all)
}

/// The inputs of the domain that the setting `adversarial` brings, ascending.
fn known(question: &Question) -> Result<Vec<String>, RunError> {
    let Some(path) = &question.problem.adversarial else { return Ok(Vec::new()) };
    let Some(domain) = &question.domain else {
        let what = "inputs kept by measurements are floats, and this question is one of real arithmetic";
        return Err(QuestionError::new("adversarial", what, "leave it out, or ask for a float type").into());
    };
    let path = Path::new(path);
    let path = if path.is_dir() { path.join(ADVERSARIAL) } else { path.to_path_buf() };
    if !path.is_file() {
        let what = format!("there is no file {} with inputs kept by a measurement", path.display());
        let help = "name the folder given to `mathsmith measure --out`, or the adversarial.json in it";
        return Err(QuestionError::new("adversarial", what, help).into());
    }
    let store = AdversarialStore::load(&path)?;
    let inputs = store.inputs_for(&question.problem.reference, &question.problem.format.to_string());
    let inside = inputs.iter().filter_map(|i| i.first().copied()).filter(|&x| domain.contains(x as f32));
    Ok(inside.map(hex).collect())
}

/// The record, and the sources that go beside it.
type Written = (Front, Vec<(String, String)>);

impl Run<'_> {
    fn open(&mut self) -> Result<(), RunError> {
        let Some(dir) = &self.options.out else { return Ok(()) };
        files::prepare_dir(dir)?;
        self.lock = Some(files::lock(dir)?);
        if !self.options.resume {
            self.remove_stale(dir)?;
            files::write_atomic(&dir.join("problem.smith"), self.question.problem.to_string().as_bytes())?;
            self.save_record()?;
        }
        let path = dir.join("log.jsonl");
        let file = std::fs::OpenOptions::new().create(true).append(true).open(&path);
        self.log = Some(file.map_err(|source| FileError { action: "cannot write", path, source })?);
        let what = if self.options.resume { "resume" } else { "start" };
        self.log(&serde_json::json!({"event": what, "version": VERSION, "threads": self.options.threads}));
        Ok(())
    }

    /// Removes what an earlier run left in the folder, so that no file of it passes for one of this run.
    fn remove_stale(&self, dir: &Path) -> Result<(), FileError> {
        let old = files::read(&dir.join("front.json")).ok();
        let old: Option<Front> = old.and_then(|text| serde_json::from_str(&text).ok());
        if let Some(old) = &old {
            let what = format!("this replaces the run of {} in {}", old.problem.reference, dir.display());
            self.observer.event(&Event::Note(what));
        }
        let listed = old.iter().flat_map(|f| &f.front).flat_map(|e| e.files.all());
        let listed: Vec<String> = listed.filter(|name| !name.contains(['/', '\\'])).map(str::to_owned).collect();
        let fixed = ["front.json", "log.jsonl", "run.json"].map(String::from);
        let checkpoints =
            [Arithmetic::Fma, Arithmetic::Plain, Arithmetic::Real].map(|a| format!("checkpoint-{}.bin", a.word()));
        for name in listed.into_iter().chain(fixed).chain(checkpoints) {
            files::remove(&dir.join(name))?;
        }
        Ok(())
    }

    fn save_record(&self) -> Result<(), RunError> {
        if let Some(dir) = &self.options.out {
            files::write_atomic(&dir.join("run.json"), pretty(&self.record).as_bytes())?;
        }
        Ok(())
    }

    /// One line of the log. A log that cannot be written loses a line, not the run.
    fn log(&mut self, line: &serde_json::Value) {
        if let Some(file) = &mut self.log {
            let _ = writeln!(file, "{line}");
        }
    }

    fn budget(&self, arithmetic: Arithmetic, searches: u32) -> Budget {
        let problem = &self.question.problem;
        let counted = self.record.allowed.or(problem.evals);
        let share = if arithmetic == Arithmetic::Real { REAL_SEARCH_SHARE } else { SEARCH_SHARE };
        match (counted, problem.time_ms) {
            (Some(n), _) => Budget { evaluations: Some(n), time: None },
            (None, Some(ms)) => {
                let ms = ms * share.0 / share.1 / u64::from(searches.max(1));
                Budget { evaluations: None, time: Some(Duration::from_millis(ms.max(1))) }
            }
            (None, None) => Budget { evaluations: Some(arithmetic.default_evaluations()), time: None },
        }
    }

    fn search(
        &mut self,
        arithmetic: Arithmetic,
        space: &SearchSpace,
        settings: &SearchSettings,
        searches: u32,
        go: impl FnOnce(&Budget, Hooks<'_>) -> Result<Outcome, SearchError>,
    ) -> Result<Outcome, RunError> {
        let checkpoint = self.options.out.as_ref().map(|d| d.join(format!("checkpoint-{}.bin", arithmetic.word())));
        let budget = self.budget(arithmetic, searches);
        let observer = self.observer;
        let variant = arithmetic.word().to_owned();
        observer.event(&Event::Stage(format!("searching {variant} programs of up to {} operations", space.max_ops)));
        let mut show = |p: &Progress| {
            observer.event(&Event::Search {
                variant: variant.clone(),
                evaluations: p.stats.evaluated,
                total: budget.evaluations,
                best: p.best.clone(),
                left: p.left,
            });
        };
        let egraph = self.question.egraph(arithmetic);
        let class_of = |genome: &structure::Genome| egraph.class(genome);
        let control = Control {
            stop: Some(observer.stop()),
            save: checkpoint.clone().map(|path| SavePolicy { path, every: Duration::from_secs(10) }),
            progress: Some(&mut show),
            progress_every: Duration::from_millis(200),
        };
        let hooks = Hooks {
            threads: self.options.threads,
            control,
            resume: checkpoint.filter(|path| self.options.resume && path.exists()),
            fingerprint: self.question.fingerprint(arithmetic),
            class_of: Some(&class_of),
        };
        let start = Instant::now();
        let outcome = go(&budget, hooks)?;
        if outcome.finish.reason == StopReason::Interrupted {
            return Err(RunError::Interrupted);
        }
        if budget.time.is_some() {
            self.record.allowed = Some(outcome.finish.evaluations);
            self.save_record()?;
        }
        self.log(&serde_json::json!({
            "event": "search", "variant": arithmetic.word(), "seconds": start.elapsed().as_secs_f64(),
            "finish": outcome.finish, "stats": outcome.stats, "islands": settings.engine.islands,
            "best": outcome.front.iter().map(|e| (e.ops, e.error)).collect::<Vec<_>>(),
        }));
        Ok(outcome)
    }

    fn answer(&mut self, plans: &[Planned]) -> Result<Written, RunError> {
        match self.question {
            question if question.is_real() => self.answer_real(),
            question if question.pairs.is_some() => self.answer_pairs(plans),
            _ => self.answer_float(plans),
        }
    }

    /// Functions of two variables: whole programs out of plans, and samples in the place of sweeps.
    fn answer_pairs(&mut self, plans: &[Planned]) -> Result<Written, RunError> {
        let question = self.question;
        let started = Instant::now();
        let effort = self.effort(started);
        let found = bivariate::answer::answer(question, plans, effort, self.options.threads, self.observer);
        let found = found.map_err(|e| match e {
            AnswerError::Verify(VerifyError::Cancelled { .. }) => RunError::Interrupted,
            e => e.into(),
        })?;
        if found.out_of_time {
            self.record.allowed = self.record.allowed.or(Some(found.evaluations));
            self.save_record()?;
        }
        for step in &found.steps {
            self.log(&serde_json::json!({"event": "step", "step": step}));
        }
        let command = self.command();
        let mut written = self.front(&[], found.evaluations);
        for arithmetic in question.variants() {
            for (entry, files) in bivariate::entry::entries(question, arithmetic, &found.sampled, &command)? {
                written.0.front.push(entry);
                written.1.extend(files);
            }
        }
        written.0.bound_met = written.0.front.iter().any(|e| e.meets_bound);
        Ok(written)
    }

    fn settings(&self, space: &SearchSpace, grammar: &mathsmith_dsl::Grammar) -> SearchSettings {
        let mut settings = space::settings(self.question, grammar);
        if !self.question.problem.from_scratch {
            settings.seeds = seeds::classical(&|op| space.ops.iter().any(|(o, _)| *o == op), space.max_ops);
            settings.seeds.retain(|g| g.constants().len() <= space.max_constants);
        }
        settings
    }

    fn answer_real(&mut self) -> Result<Written, RunError> {
        let question = self.question;
        let (space, grammar) = question.space(Arithmetic::Real)?.ok_or_else(QuestionError::no_variant)?;
        let settings = self.settings(&space, &grammar);
        let target = RealTarget::new((question.lo, question.hi), &|x| question.value(x), question.metric())
            .map_err(QuestionError::fit)?;
        let outcome = self.search(Arithmetic::Real, &space, &settings, 1, |budget, hooks| {
            structure::search_real(&target, &space, &settings, budget, hooks)
        })?;
        let checked = real::answer(question, &outcome.archive, self.options.threads, self.observer)?;
        if self.observer.stopped() {
            return Err(RunError::Interrupted);
        }
        let command = self.command();
        let mut written = self.front(&[(Arithmetic::Real, outcome)], 0);
        for program in &checked {
            let (entry, files) = entry::real(question, program, &command);
            written.0.front.push(entry);
            written.1.extend(files);
        }
        written.0.bound_met = written.0.front.iter().any(|e| e.meets_bound);
        Ok(written)
    }

    fn answer_float(&mut self, plans: &[Planned]) -> Result<Written, RunError> {
        let known: Vec<f32> = self.record.known.iter().filter_map(|x| unhex(x)).map(|x| x as f32).collect();
        let started = Instant::now();
        let mut outcomes = Vec::new();
        let mut verified = Vec::new();
        if self.question.searches_structures() {
            (outcomes, verified) = self.search_structures(&known)?;
        }
        let effort = self.effort(started);
        let start = Instant::now();
        let (question, threads, observer) = (self.question, self.options.threads, self.observer);
        let mut log = |step: &Step| self.log(&serde_json::json!({"event": "step", "step": step}));
        let found = answer::answer(question, plans, effort, &known, threads, observer, &mut log);
        let found = found.map_err(|e| match e {
            AnswerError::Verify(VerifyError::Cancelled { .. }) => RunError::Interrupted,
            e => e.into(),
        })?;
        if found.out_of_time {
            self.record.allowed = self.record.allowed.or(Some(found.evaluations));
            self.save_record()?;
        }
        self.log(&serde_json::json!({
            "event": "composed", "seconds": start.elapsed().as_secs_f64(), "plans": plans.len(),
            "evaluations": found.evaluations, "proven": found.verified.len(),
        }));
        verified.extend(found.verified);
        self.keep(&verified)?;
        let command = self.command();
        let mut written = self.front(&outcomes, found.evaluations);
        for arithmetic in self.question.variants() {
            let entries = entry::float(self.question, arithmetic, &self.shown(&verified, arithmetic), &command)?;
            for (entry, files) in entries {
                written.0.front.push(entry);
                written.1.extend(files);
            }
        }
        written.0.bound_met = written.0.front.iter().any(|e| e.meets_bound);
        Ok(written)
    }

    /// A variant's front. Programs that break a demand are shown only where there are no others.
    fn shown<'v>(&self, verified: &'v [Verified], arithmetic: Arithmetic) -> Vec<&'v Verified> {
        let own: Vec<&Verified> = verified.iter().filter(|v| v.arithmetic == arithmetic).collect();
        let sound: Vec<&Verified> = own.iter().copied().filter(|v| v.proof.broken.is_empty()).collect();
        let own = if sound.is_empty() { own } else { sound };
        let kept = pareto::front(&own, self.question.problem.minimize, 1.0, |v| v.price, |v| v.proof.figure);
        kept.into_iter().map(|i| own[i]).collect()
    }

    /// What whole programs may spend: the evaluations given or allowed, or what is left of the time.
    fn effort(&self, started: Instant) -> Effort {
        let problem = &self.question.problem;
        let time = problem.time_ms.map(Duration::from_millis);
        match (self.record.allowed.or(problem.evals), time) {
            (Some(evaluations), _) => Effort { evaluations, deadline: None },
            (None, Some(time)) => Effort { evaluations: u64::MAX, deadline: Some(started + time) },
            (None, None) => Effort { evaluations: COMPOSED_EVALUATIONS, deadline: None },
        }
    }

    /// Programs without a range reduction: structures are searched as they are, on the whole domain.
    fn search_structures(&mut self, known: &[f32]) -> Result<Searched, RunError> {
        let question = self.question;
        let domain = question.domain.expect("a float question has inputs");
        let variants: Vec<_> = question
            .variants()
            .into_iter()
            .map(|a| Ok(question.space(a)?.map(|(space, grammar)| (a, space, grammar))))
            .collect::<Result<Vec<_>, QuestionError>>()?
            .into_iter()
            .flatten()
            .collect();
        if variants.is_empty() {
            return Err(QuestionError::no_variant().into());
        }
        let nodes = Nodes::chebyshev((question.lo, question.hi), FIT_NODES, &|x| question.value(x), question.metric())
            .map_err(QuestionError::fit)?;
        let mut small = question.adversarial(&domain, question::SMALL);
        let mut set = question.adversarial(&domain, question::LARGE);
        set.insert(&question.reference, known);
        let step = known.len().div_ceil(MOST_KNOWN_IN_SEARCH).max(1);
        small.insert(&question.reference, &known.iter().copied().step_by(step).collect::<Vec<_>>());
        let objective = FloatObjective::new(&nodes, &small, question);
        let mut outcomes = Vec::new();
        let mut drafts = Vec::new();
        for (arithmetic, space, grammar) in &variants {
            let settings = self.settings(space, grammar);
            let outcome = self.search(*arithmetic, space, &settings, variants.len() as u32, |budget, hooks| {
                structure::search(&objective, arithmetic.ty(), space, &settings, budget, hooks)
            })?;
            let archive: &[FrontEntry] = &outcome.archive;
            drafts.extend(polish::shortlist(question, *arithmetic, archive));
            outcomes.push((*arithmetic, outcome));
        }
        let verified = float::prove(question, &domain, &mut set, drafts, self.options.threads, self.observer)
            .map_err(|e| if matches!(e, VerifyError::Cancelled { .. }) { RunError::Interrupted } else { e.into() })?;
        Ok((outcomes, verified))
    }

    /// Adds the worst inputs of every sweep to those kept in the folder. They are read only where a question names them:
    /// what an earlier run has left in a folder must not change an answer.
    fn keep(&self, verified: &[Verified]) -> Result<(), RunError> {
        let Some(dir) = &self.options.out else { return Ok(()) };
        let path = dir.join(ADVERSARIAL);
        let mut store = AdversarialStore::load(&path)?;
        let worst = verified.iter().flat_map(|v| v.proof.report.adversarial_inputs()).map(|x| vec![f64::from(x)]);
        let problem = &self.question.problem;
        store.merge(&problem.reference, &problem.format.to_string(), worst);
        Ok(store.save(&path)?)
    }

    fn command(&self) -> String {
        entry::command(&self.question.problem, self.record.allowed)
    }

    fn front(&self, outcomes: &[(Arithmetic, Outcome)], composed: u64) -> Written {
        let searches: Vec<Search> = outcomes
            .iter()
            .map(|(a, o)| Search {
                variant: a.word().into(),
                evaluations: o.finish.evaluations,
                equalities: Equalities {
                    proposed: o.stats.proposed,
                    hash_consing: o.stats.duplicate,
                    egraph: o.stats.merged,
                },
            })
            .collect();
        let front = Front {
            schema: SCHEMA,
            problem: self.question.problem.clone(),
            seed: self.question.problem.seed,
            version: VERSION.into(),
            evaluations: searches.iter().map(|s| s.evaluations).sum::<u64>() + composed,
            notes: self.question.notes.clone(),
            bound_met: false,
            composed,
            searches,
            front: Vec::<Entry>::new(),
        };
        (front, Vec::new())
    }

    /// Sources first, `front.json` last: where it is there, everything that it names is.
    fn finish(&mut self, (front, sources): &Written) -> Result<(), RunError> {
        if let Some(dir) = &self.options.out {
            for (name, text) in sources {
                files::write_atomic(&dir.join(name), text.as_bytes())?;
            }
            files::write_atomic(&dir.join("front.json"), pretty(front).as_bytes())?;
        }
        self.log(&serde_json::json!({"event": "end", "entries": front.front.len(), "bound_met": front.bound_met}));
        Ok(())
    }
}

/// JSON with a line end, as files have it.
fn pretty<T: Serialize>(value: &T) -> String {
    // Records are plain data with string keys: serialising them cannot fail.
    let mut text = serde_json::to_string_pretty(value).unwrap_or_default();
    text.push('\n');
    text
}
