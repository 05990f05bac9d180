//! The command line as typed. Values stay text here: the same parser reads them from problem files, so that a message
//! about a value is the same wherever it was written.

use clap::{Args, Parser, Subcommand};
use std::path::PathBuf;

const EXAMPLES: &str = "\
Examples:
  mathsmith approx \"exp2(x)\" --on 0..1 --type f32 --max-ulp 1 --out run/
  mathsmith approx \"tanh(x)/x\" --on 0..1 --type real --max-ops 10
  mathsmith fit \"1 + x*(c1 + x*(c2 + x*c3))\" --ref \"exp2(x)\" --on 0..1 --type f32";

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
    /// Print an intermediate form of one stage
    #[command(subcommand)]
    Dev(Dev),
}

/// Settings shared by commands; every one may stand in a problem file as well.
#[derive(Args, Default)]
pub struct Settings {
    /// Domain A..B, or 'A..<B' without its end (quote the < for the shell)
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
    /// Demands: no-div, no-branch, no-table, max-fma:N (others are refused in this version)
    #[arg(long, value_name = "LIST", allow_hyphen_values = true)]
    pub require: Option<String>,
    /// Operations allowed, such as add,sub,mul,div
    #[arg(long, value_name = "LIST", allow_hyphen_values = true)]
    pub ops: Option<String>,
    /// Most operations a program may have
    #[arg(long, value_name = "N", allow_hyphen_values = true)]
    pub max_ops: Option<String>,
    /// fma, plain or both [default: both]
    #[arg(long, value_name = "V", allow_hyphen_values = true)]
    pub variant: Option<String>,
    /// What is cheap: ops, throughput or latency [default: ops]
    #[arg(long, value_name = "COST", allow_hyphen_values = true)]
    pub minimize: Option<String>,
    /// Machine model [default: x86-64-v3]
    #[arg(long, value_name = "MODEL", allow_hyphen_values = true)]
    pub target: Option<String>,
    /// Range reduction: auto or none (named ones are refused in this version)
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
    /// Folder for the results
    #[arg(long, value_name = "DIR")]
    pub out: Option<String>,
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
