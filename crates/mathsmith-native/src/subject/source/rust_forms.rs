//! The types of Rust functions that can be measured, and the text that calls one.

use super::super::{BLOCK_SYMBOL, Element, Shape, Signature};
use super::FunctionType;
use std::fmt::Write as _;

/// Types of the number of elements where arrays come as pointers.
const COUNTS: [&str; 5] = ["usize", "i32", "u32", "i64", "u64"];

/// How an array function gets its arrays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Arrays {
    /// `&[T]`, `&mut [T]`.
    Slices,
    /// `*const T`, `*mut T`, and a count of this type at the end.
    Pointers(&'static str),
}

/// One type of function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Form {
    element: Element,
    arity: u8,
    /// `extern "C"`.
    c: bool,
    /// Arrays, and whether the result comes first.
    arrays: Option<(Arrays, bool)>,
}

impl FunctionType for Form {
    fn signature(&self, _: bool) -> Signature {
        // In Rust the type always tells inputs from the result.
        let shape = self.arrays.map_or(Shape::Scalar, |(_, output_first)| Shape::Array { output_first });
        Signature { element: self.element, arity: self.arity, shape }
    }
}

impl Form {
    /// Every type, in a fixed order.
    pub(super) fn all() -> Vec<Form> {
        let mut forms = Vec::new();
        for element in [Element::F32, Element::F64, Element::U16] {
            for arity in [1, 2] {
                for c in [false, true] {
                    forms.push(Form { element, arity, c, arrays: None });
                    for arrays in [Arrays::Slices].into_iter().chain(COUNTS.map(Arrays::Pointers)) {
                        for output_first in [false, true] {
                            forms.push(Form { element, arity, c, arrays: Some((arrays, output_first)) });
                        }
                    }
                }
            }
        }
        forms
    }

    /// The type of the function as a pointer. Safe functions and those that need a processor's features
    /// (`#[target_feature]`) become pointers to unsafe ones by themselves.
    pub(super) fn pointer(&self) -> String {
        let t = self.element_type();
        let abi = if self.c { "extern \"C\" " } else { "" };
        let Some((arrays, output_first)) = self.arrays else {
            return format!("unsafe {abi}fn({}) -> {t}", vec![t; self.arity.into()].join(", "));
        };
        let (input, output, count) = match arrays {
            Arrays::Slices => (format!("&[{t}]"), format!("&mut [{t}]"), None),
            Arrays::Pointers(count) => (format!("*const {t}"), format!("*mut {t}"), Some(count.to_string())),
        };
        format!("unsafe {abi}fn({})", self.arguments(output_first, &|_| input.clone(), &output, count).join(", "))
    }

    fn element_type(&self) -> &'static str {
        match self.element {
            Element::F32 => "f32",
            Element::F64 => "f64",
            Element::U16 => "u16",
        }
    }

    fn arguments(&self, first: bool, input: &dyn Fn(u8) -> String, output: &str, count: Option<String>) -> Vec<String> {
        let mut list: Vec<String> = (0..self.arity).map(input).collect();
        list.insert(if first { 0 } else { list.len() }, output.into());
        list.extend(count);
        list
    }

    /// The crate that exports the block function; `target` is the path of the function, or of a constant that holds it.
    ///
    /// The function is called through a pointer that is read as volatile for every row, so that it is not inlined,
    /// specialised or vectorised into the loop. A panic ends the process once its message is written.
    pub(super) fn wrapper(&self, target: &str) -> String {
        let t = self.element_type();
        let input = |i: u8| if i == 0 { "x".to_string() } else { "y".into() };
        let mut text = format!("static SUBJECT: {} = {target};\n\n", self.pointer());
        let _ = write!(
            text,
            "#[no_mangle]
pub unsafe extern \"C\" fn {BLOCK_SYMBOL}(inputs: *const *const u8, out: *mut u8, n: u64, at: *mut u64) {{
    let run = || unsafe {{
        let n = n as usize;
        let r = out as *mut {t};
"
        );
        for i in 0..self.arity {
            let _ = writeln!(text, "        let {} = *inputs.add({i}) as *const {t};", input(i));
        }
        match self.arrays {
            None => {
                let arguments: Vec<String> = (0..self.arity).map(|i| format!("*{}.add(i)", input(i))).collect();
                let _ = write!(
                    text,
                    "        for i in 0..n {{
            core::ptr::write_volatile(at, i as u64);
            *r.add(i) = core::ptr::read_volatile(&raw const SUBJECT)({});
        }}
",
                    arguments.join(", ")
                );
            }
            Some((arrays, output_first)) => {
                let (input, output, count): (&dyn Fn(u8) -> String, _, _) = match arrays {
                    Arrays::Slices => (
                        &|i| format!("core::slice::from_raw_parts({}, n)", input(i)),
                        "core::slice::from_raw_parts_mut(r, n)",
                        None,
                    ),
                    Arrays::Pointers(count) => (&input, "r", Some(format!("n as {count}"))),
                };
                let _ = write!(
                    text,
                    "        core::ptr::write_volatile(at, 0);
        core::ptr::read_volatile(&raw const SUBJECT)({});
",
                    self.arguments(output_first, input, output, count).join(", ")
                );
            }
        }
        text.push_str(
            "    };
    if n > 0 && std::panic::catch_unwind(std::panic::AssertUnwindSafe(run)).is_err() {
        std::process::abort();
    }
}
",
        );
        text
    }
}

/// The types that can be measured, for messages.
pub(super) const SUPPORTED: &str = "fn(f32) -> f32, fn(f32, f32) -> f32, the same of f64 and of u16 (bits of f16 or \
    bf16), and arrays: fn(&[f32], &mut [f32]), or pointers and a count, with the result first, two inputs, other \
    elements; unsafe and extern \"C\" functions too";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_are_distinct_and_readable() {
        let mut texts: Vec<String> = Form::all().iter().map(Form::pointer).collect();
        let count = texts.len();
        for expected in [
            "unsafe fn(f32) -> f32",
            "unsafe extern \"C\" fn(f64, f64) -> f64",
            "unsafe fn(&[f32], &[f32], &mut [f32])",
            "unsafe fn(&mut [u16], &[u16])",
            "unsafe extern \"C\" fn(*const f32, *mut f32, usize)",
        ] {
            assert!(texts.contains(&expected.to_string()), "{expected}");
        }
        texts.sort();
        texts.dedup();
        assert_eq!(texts.len(), count);
    }
}
