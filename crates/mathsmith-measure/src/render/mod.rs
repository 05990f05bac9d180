//! What a person reads of a measurement: a table of text and a plot of the error. Both are made from [`Measurement`] records
//! alone, so a record that was stored shows the same as one that was just made.
//!
//! | function | makes |
//! | --- | --- |
//! | [`table()`] | a comparison of the subjects, then everything known about each, at most 110 columns wide |
//! | [`svg()`] | signed error against x, one panel a subject |

mod axis;
mod binades;
mod details;
mod plot;
mod svg;
mod table;
mod text;

pub use svg::svg;
pub use table::table;
pub use text::grouped;

use crate::record::{Measurement, Source};
use mathsmith_native::subject::{Element, Isa, Shape, Signature};

/// How much [`table()`] shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Detail {
    /// Neighbouring binades of like behaviour are one line, bins of the histogram are merged.
    #[default]
    Summary,
    /// Every binade, every bin, every special input.
    Full,
}

/// The type of a subject as its language writes it.
fn declaration(name: &str, signature: &Signature) -> String {
    let element = match signature.element {
        Element::F32 => "float",
        Element::F64 => "double",
        Element::U16 => "uint16_t",
    };
    let list = |of: &str| vec![of; usize::from(signature.arity)].join(", ");
    match signature.shape {
        Shape::Scalar => format!("{element} {name}({})", list(element)),
        Shape::Array { output_first } => {
            let inputs = list(&format!("const {element} *"));
            let arguments =
                if output_first { format!("{element} *, {inputs}") } else { format!("{inputs}, {element} *") };
            format!("void {name}({arguments}, size_t)")
        }
        Shape::Vector(isa) => {
            let vector = format!("{element}[{}]", lanes(isa, signature.element));
            let arguments = vec![vector.as_str(); usize::from(signature.arity)].join(", ");
            format!("{vector} {name}({arguments}), {}", isa_words(isa))
        }
    }
}

/// Elements of a vector.
fn lanes(isa: Isa, element: Element) -> usize {
    let bits = match isa {
        Isa::Scalar => return 1,
        Isa::Sse => 128,
        Isa::Avx | Isa::Avx2 => 256,
        Isa::Avx512 => 512,
    };
    let size = match element {
        Element::F32 => 32,
        Element::F64 => 64,
        Element::U16 => 16,
    };
    bits / size
}

fn isa_words(isa: Isa) -> &'static str {
    match isa {
        Isa::Scalar => "one lane",
        Isa::Sse => "128-bit vectors",
        Isa::Avx => "256-bit vectors (AVX)",
        Isa::Avx2 => "256-bit vectors (AVX2, FMA)",
        Isa::Avx512 => "512-bit vectors (AVX-512)",
    }
}

/// Symbol that was called, where there is one.
fn symbol(m: &Measurement) -> Option<&str> {
    match &m.subject.source {
        Source::Native(origin) => Some(&origin.symbol),
        Source::Program { .. } => None,
    }
}
