//! The command line as typed. Values stay text here: the same parser reads them from problem files, so that a message
//! about a value is the same wherever it was written.

use clap::{Args, Parser, Subcommand};
use std::path::PathBuf;

const EXAMPLES: &str = "\
Examples:
  mathsmith approx \"exp2(x)\" --on 0..1 --type f32 --max-ulp 1 --out run/
  mathsmith approx \"tanh(x)/x\" --on 0..1 --type real --max-ops 10
  mathsmith fit \"1 + x*(c1 + x*(c2 + x*c3))\" --ref \"exp2(x)\" --on 0..1 --type f32
  mathsmith measure mine.c --symbol my_tanhf --ref \"tanh(x)\" --on -20..20
  mathsmith measure libm:expf sleef:expf_u10 core-math:expf --ref \"exp(x)\"";

/// Discover programs: function approximations with proven error.
#[derive(Parser)]
#[command(name = "mathsmith", version, before_help = EXAMPLES, disable_help_subcommand = true)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Subcommand)]
pub enum Command {
    /// Search programs for a function; print and write a verified front
    Approx {
        /// Reference expression, such as "exp2(x)", or a .smith problem file
        question: String,
        #[command(flatten)]
        settings: Settings,
    },
    /// Constants for a form that you wrote, right after rounding, with the error of the form as written
    Fit {
        /// The form: + - * / ^ sqrt abs min max floor of x, numbers and free constants
        form: String,
        /// Reference expression
        #[arg(long = "ref", value_name = "EXPR")]
        reference: String,
        /// Hold a constant: c1=ln2 (may be repeated)
        #[arg(long, value_name = "NAME=EXPR")]
        fix: Vec<String>,
        #[command(flatten)]
        settings: Settings,
    },
    /// Go on with an interrupted run; it ends with the same bytes
    Resume {
        /// The run's folder
        run: PathBuf,
        /// Threads (changes no result)
        #[arg(long)]
        threads: Option<String>,
        /// Print one JSON object instead of a table
        #[arg(long)]
        json: bool,
    },
    /// The error of code that you have: C, Rust, libraries, programs; every figure with its worst input
    Measure(MeasureArgs),
    /// Prove a certificate of `measure --cert` again
    Check(CheckArgs),
    /// Run the case suite: what public code ships against what is found, won, drawn or lost
    Cases(CasesArgs),
    /// The speed of a run's code beside glibc, libmvec, SLEEF, core-math and the libm crate
    Bench(crate::bench::BenchArgs),
    /// Measure this machine and write a model for --target
    Calibrate(crate::calibrate::CalibrateArgs),
    /// Print an intermediate form of one stage
    #[command(subcommand)]
    Dev(Dev),
    /// Takes times for `bench` and `calibrate`, which start it
    #[command(hide = true)]
    BenchHost,
    /// Calls foreign code for `measure`, which starts it
    #[command(hide = true)]
    SubjectHost,
}

/// What `measure` is asked.
#[derive(Args)]
pub struct MeasureArgs {
    /// mine.c, mine.rs, libmine.so, libm:expf, libmvec:expf@avx2, sleef:expf_u10, core-math:expf, libm-crate:expf, or a
    /// program file (.smith, .ir)
    #[arg(required = true, value_name = "SUBJECT")]
    pub subjects: Vec<String>,
    /// Reference expression, such as "tanh(x)"
    #[arg(long = "ref", value_name = "EXPR", allow_hyphen_values = true)]
    pub reference: String,
    /// Functions of a file or library, with commas between them
    #[arg(long, value_name = "NAME,...")]
    pub symbol: Option<String>,
    /// Variables of the reference, in the order of the function's arguments [default: x,y]
    #[arg(long, value_name = "NAME,...")]
    pub args: Option<String>,
    /// Domain A..B, for two arguments x:A..B,y:A..B [default: the whole format]
    #[arg(long, value_name = "A..B", allow_hyphen_values = true)]
    pub on: Option<String>,
    /// Number format of the arguments: f32, f64, f16 or bf16 [default: f32]
    #[arg(long = "type", value_name = "TYPE", allow_hyphen_values = true)]
    pub ty: Option<String>,
    /// A format that results are rounded to before they are judged, or a folder for the records; twice for both
    #[arg(long, value_name = "FORMAT|DIR")]
    pub out: Vec<String>,
    /// Flags for C, split as a shell does [default: -O2]
    #[arg(long, value_name = "FLAGS", allow_hyphen_values = true)]
    pub cflags: Option<String>,
    /// Flags for rustc, split as a shell does [default: -C opt-level=3]
    #[arg(long, value_name = "FLAGS", allow_hyphen_values = true)]
    pub rustflags: Option<String>,
    /// C compiler: gcc, clang or cc [default: the first that is installed]
    #[arg(long, value_name = "NAME")]
    pub compiler: Option<String>,
    /// In array functions whose type leaves it open the results come first: f(float *out, float *in, size_t n)
    #[arg(long)]
    pub output_first: bool,
    /// Demands: monotone, odd, even, exact:A->B, join:C, saturate
    #[arg(long, value_name = "LIST", allow_hyphen_values = true)]
    pub require: Option<String>,
    /// Tolerance as an expression of the arguments and of y, the exact value: "max(1e-6*abs(y), 1e-8)"
    #[arg(long, value_name = "EXPR", allow_hyphen_values = true)]
    pub tol: Option<String>,
    /// Largest error allowed, in ulp of the real value
    #[arg(long, value_name = "V", allow_hyphen_values = true)]
    pub max_ulp: Option<String>,
    /// Largest relative error allowed
    #[arg(long, value_name = "V", allow_hyphen_values = true)]
    pub max_rel: Option<String>,
    /// Largest absolute error allowed
    #[arg(long, value_name = "V", allow_hyphen_values = true)]
    pub max_abs: Option<String>,
    /// A point to look at with both its neighbours (may be repeated)
    #[arg(long, value_name = "X", allow_hyphen_values = true)]
    pub seam: Vec<String>,
    /// Subnormals are flushed to zero while the subject runs
    #[arg(long)]
    pub ftz: bool,
    /// Evaluations of a sample (f64, two arguments) [default: 1000000]
    #[arg(long, value_name = "N", allow_hyphen_values = true)]
    pub evals: Option<String>,
    /// Seed of a sample [default: 1]
    #[arg(long, value_name = "N", allow_hyphen_values = true)]
    pub seed: Option<String>,
    /// Threads (changes no result) [default: all]
    #[arg(long, value_name = "N", allow_hyphen_values = true)]
    pub threads: Option<String>,
    /// Time after which a call is given up [default: 10s]
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub timeout: Option<String>,
    /// Print one JSON object instead of a table
    #[arg(long)]
    pub json: bool,
    /// Print every binade, every bin and every special input
    #[arg(long)]
    pub full: bool,
    /// Write a plot of error against x
    #[arg(long, value_name = "FILE")]
    pub svg: Option<PathBuf>,
    /// Write a certificate that `check` proves again
    #[arg(long, value_name = "FILE")]
    pub cert: Option<PathBuf>,
    /// No progress, no notes
    #[arg(long, short)]
    pub quiet: bool,
}

/// What `cases` is asked.
#[derive(Args)]
pub struct CasesArgs {
    /// Folder with the cases, a .smith file each
    #[arg(value_name = "FOLDER", default_value = "benches/cases")]
    pub folder: PathBuf,
    /// Budget of a case in evaluations
    #[arg(long, visible_alias = "budget", value_name = "N", allow_hyphen_values = true)]
    pub evals: Option<String>,
    /// Budget of a case in time (120s, 2m)
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub time: Option<String>,
    /// Cases to run, by file or by row: x1,m10
    #[arg(long, value_name = "NAME,...")]
    pub only: Option<String>,
    /// Folder for the runs; what it holds already is not run again
    #[arg(long, value_name = "DIR")]
    pub out: Option<String>,
    /// Threads (changes no result) [default: all]
    #[arg(long, value_name = "N", allow_hyphen_values = true)]
    pub threads: Option<String>,
    /// Seed of every random draw [default: 1]
    #[arg(long, value_name = "N", allow_hyphen_values = true)]
    pub seed: Option<String>,
    /// Print one JSON object instead of lines
    #[arg(long, conflicts_with = "markdown")]
    pub json: bool,
    /// Print a document with a table instead of lines
    #[arg(long)]
    pub markdown: bool,
    /// No progress
    #[arg(long, short)]
    pub quiet: bool,
}

/// What `check` is asked.
#[derive(Args)]
pub struct CheckArgs {
    /// The certificate
    #[arg(value_name = "CERT")]
    pub certificate: PathBuf,
    /// Where the subject's file is now
    #[arg(long, value_name = "FILE")]
    pub subject: Option<PathBuf>,
    /// Threads (changes no result) [default: all]
    #[arg(long, value_name = "N", allow_hyphen_values = true)]
    pub threads: Option<String>,
    /// Time after which a call is given up [default: 10s]
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub timeout: Option<String>,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
    /// No progress
    #[arg(long, short)]
    pub quiet: bool,
}

/// Settings shared by commands; every one may stand in a problem file as well.
#[derive(Args, Default)]
pub struct Settings {
    /// Domain A..B, or 'A..<B' without its end (quote the < for the shell) [default: the whole format]
    #[arg(long, value_name = "A..B", allow_hyphen_values = true)]
    pub on: Option<String>,
    /// Number format: f32 or real (others are refused in this version) [default: f32]
    #[arg(long = "type", value_name = "TYPE", allow_hyphen_values = true)]
    pub ty: Option<String>,
    /// Largest error allowed, in ulp of the real value
    #[arg(long, value_name = "V", allow_hyphen_values = true)]
    pub max_ulp: Option<String>,
    /// Largest relative error allowed
    #[arg(long, value_name = "V", allow_hyphen_values = true)]
    pub max_rel: Option<String>,
    /// Largest absolute error allowed
    #[arg(long, value_name = "V", allow_hyphen_values = true)]
    pub max_abs: Option<String>,
    /// Error allowed at each input, of x and of y, the exact value: "max(1e-6*abs(y), 1e-8)"
    #[arg(long, value_name = "EXPR", allow_hyphen_values = true)]
    pub tol: Option<String>,
    /// Demands: exact:A->B, odd, even, monotone, join:C, saturate, no-div, no-branch, no-table, max-fma:N
    #[arg(long, value_name = "LIST", allow_hyphen_values = true)]
    pub require: Option<String>,
    /// Results below the least normal number may be zero
    #[arg(long)]
    pub flush: bool,
    /// What lies outside of the domain may give anything, NaN and infinities included
    #[arg(long)]
    pub domain_only: bool,
    /// Operations allowed, such as add,sub,mul,div
    #[arg(long, value_name = "LIST", allow_hyphen_values = true)]
    pub ops: Option<String>,
    /// Most operations a program may have
    #[arg(long, value_name = "N", allow_hyphen_values = true)]
    pub max_ops: Option<String>,
    /// fma, plain or both [default: both]
    #[arg(long, value_name = "V", allow_hyphen_values = true)]
    pub variant: Option<String>,
    /// What is cheap: ops, throughput, latency or size [default: ops]
    #[arg(long, value_name = "COST", allow_hyphen_values = true)]
    pub minimize: Option<String>,
    /// Machine model: x86-64-v3, x86-64-v4, aarch64, x86-64-scalar, cortex-m7, or a model's file [default: x86-64-v3]
    #[arg(long, value_name = "MODEL|FILE", allow_hyphen_values = true)]
    pub target: Option<String>,
    /// Range reduction: auto, none or the name of one [default: auto]
    #[arg(long, value_name = "NAME", allow_hyphen_values = true)]
    pub reduce: Option<String>,
    /// Search space: a shipped grammar's name or a file
    #[arg(long, value_name = "NAME", allow_hyphen_values = true)]
    pub grammar: Option<String>,
    /// Budget in evaluations
    #[arg(long, value_name = "N", allow_hyphen_values = true)]
    pub evals: Option<String>,
    /// Budget in time (120s, 2m, 1h); recorded as the evaluations that it allowed
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub time: Option<String>,
    /// Threads (changes no result) [default: all]
    #[arg(long, value_name = "N", allow_hyphen_values = true)]
    pub threads: Option<String>,
    /// Seed of every random draw [default: 1]
    #[arg(long, value_name = "N", allow_hyphen_values = true)]
    pub seed: Option<String>,
    /// Name of the emitted function
    #[arg(long, value_name = "NAME", allow_hyphen_values = true)]
    pub name: Option<String>,
    /// Worst inputs kept by `measure --out DIR`; candidates are judged on them too
    #[arg(long, value_name = "FILE|DIR")]
    pub adversarial: Option<String>,
    /// Folder for the results, or a format (bf16, f16) that they are rounded to before they are judged; twice for both
    #[arg(long, value_name = "DIR|FORMAT")]
    pub out: Vec<String>,
    /// Start from the empty program, without minimax forms as seeds
    #[arg(long)]
    pub from_scratch: bool,
    /// Print one JSON object instead of a table
    #[arg(long)]
    pub json: bool,
    /// No progress
    #[arg(long, short)]
    pub quiet: bool,
}

/// One stage's intermediate form.
#[derive(Subcommand)]
pub enum Dev {
    /// The syntax tree of an expression, or the settings of a problem file
    Parse {
        /// Expression or .smith file
        source: String,
    },
    /// A form as a program graph, or a program file checked and printed again
    Ir {
        /// Form or program file
        source: String,
        /// Number format
        #[arg(long = "type", default_value = "f32")]
        ty: String,
        /// Sums of products become fma
        #[arg(long)]
        fma: bool,
    },
    /// A form before and after canonicalisation
    Egraph {
        /// Form or program file
        source: String,
    },
    /// Least squares, minimax and rounding of a form, step by step
    Fit {
        /// The form
        form: String,
        /// Reference expression
        #[arg(long = "ref")]
        reference: String,
        /// Domain
        #[arg(long, allow_hyphen_values = true)]
        on: String,
        /// Number format
        #[arg(long = "type", default_value = "f32")]
        ty: String,
    },
    /// The JIT's intermediate code and machine code of a form or program file
    Jit {
        /// Form or program file
        source: String,
        /// Number format
        #[arg(long = "type", default_value = "f32")]
        ty: String,
        /// Sums of products become fma
        #[arg(long)]
        fma: bool,
        /// One lane instead of 128-bit vectors
        #[arg(long)]
        scalar: bool,
    },
    /// One Markdown table of the records of many benches
    BenchTable {
        /// Records that `bench --out` has written
        #[arg(required = true)]
        records: Vec<PathBuf>,
        /// Bound of the peers' error, one of those that `bench --at-most` was given
        #[arg(long, value_name = "ULP")]
        at_most: String,
        /// Compiler of the own code, with "512" behind it for the full width: the name behind the entry's in the table of `bench`
        #[arg(long, default_value = "clang")]
        compiler: String,
    },
    /// Value of an expression (correctly rounded, and 40 digits) or of every node of a program file at a point
    Eval {
        /// Expression or program file
        source: String,
        /// The point: decimal, hexadecimal float or constant expression
        #[arg(long, allow_hyphen_values = true)]
        at: Vec<String>,
        /// Number format
        #[arg(long = "type", default_value = "f32")]
        ty: String,
    },
}
