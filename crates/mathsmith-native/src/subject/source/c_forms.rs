//! The types of C functions that can be measured, and the text that calls one.

use super::super::{BLOCK_SYMBOL, Element, Shape, Signature};
use super::FunctionType;
use std::fmt::Write as _;

/// Types of the number of elements; all distinct in C on every machine, so that one `_Generic` can hold them.
const COUNTS: [&str; 6] = ["unsigned long", "int", "unsigned int", "long", "unsigned long long", "long long"];

/// The order of the arguments of an array function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Arrays {
    /// Inputs are `const`, which tells them from the result.
    told: bool,
    /// The result comes first. Where it is not told: as requested.
    output_first: bool,
    /// The number of elements comes before the arrays.
    count_first: bool,
    /// Its type.
    count: &'static str,
}

/// One type of function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Form {
    /// Element type as C writes it.
    c: &'static str,
    element: Element,
    arity: u8,
    arrays: Option<Arrays>,
}

impl FunctionType for Form {
    fn signature(&self, output_first: bool) -> Signature {
        let shape = match self.arrays {
            None => Shape::Scalar,
            Some(a) => Shape::Array { output_first: if a.told { a.output_first } else { output_first } },
        };
        Signature { element: self.element, arity: self.arity, shape }
    }
}

impl Form {
    /// Every type, in a fixed order: the answer of a compiler is an index into it, plus one.
    pub(super) fn all() -> Vec<Form> {
        let mut forms = Vec::new();
        // Types that not every compiler has come last: what is left out does not shift the others.
        let elements = [("float", Element::F32), ("double", Element::F64), ("unsigned short", Element::U16)];
        for (c, element) in elements.into_iter().chain([("_Float16", Element::U16)]) {
            for arity in [1, 2] {
                forms.push(Form { c, element, arity, arrays: None });
                for count in COUNTS {
                    for (told, output_first) in [(true, false), (true, true), (false, false)] {
                        for count_first in [false, true] {
                            let arrays = Some(Arrays { told, output_first, count_first, count });
                            forms.push(Form { c, element, arity, arrays });
                        }
                    }
                }
            }
        }
        forms
    }

    /// Whether the type is the compiler's own for half precision, which not every compiler has.
    pub(super) fn is_half(&self) -> bool {
        self.c == "_Float16"
    }

    /// Whether the type leaves open which of the arrays is the result.
    pub(super) fn is_open(&self) -> bool {
        self.arrays.is_some_and(|a| !a.told)
    }

    /// The arguments as `slots` names them: inputs, result, number of elements.
    fn arguments(&self, output_first: bool, input: &dyn Fn(u8) -> String, output: &str, count: &str) -> String {
        let mut list: Vec<String> = (0..self.arity).map(input).collect();
        if let Some(a) = self.arrays {
            list.insert(if output_first { 0 } else { list.len() }, output.into());
            list.insert(if a.count_first { 0 } else { list.len() }, count.into());
        }
        list.join(", ")
    }

    /// The type of a function, `name` standing where C wants it: `float my_expf(float)`.
    pub(super) fn declaration(&self, name: &str) -> String {
        let c = self.c;
        match self.arrays {
            None => format!("{c} {name}({})", self.arguments(false, &|_| c.into(), "", "")),
            Some(a) => {
                let input = if a.told { format!("const {c} *") } else { format!("{c} *") };
                let arguments = self.arguments(a.output_first, &|_| input.clone(), &format!("{c} *"), a.count);
                format!("void {name}({arguments})")
            }
        }
    }

    /// The translation unit that exports the block function; `declarations` makes the expression `target` known.
    ///
    /// The function is called through a volatile pointer: the compiler has to take it from memory for every row and
    /// cannot inline, specialise or vectorise what it points to. The names here are the wrapper's own, and the subject's
    /// name is used at file scope only, where none of them can hide it.
    pub(super) fn wrapper(&self, declarations: &str, target: &str, output_first: bool) -> String {
        let c = self.c;
        let pointer = self.declaration("(*volatile mathsmith_call)");
        let input = |i: u8| format!("mathsmith_{}", if i == 0 { "x" } else { "y" });
        let mut text = format!("{declarations}\n");
        let _ = writeln!(text, "static {pointer};\n");
        let _ = writeln!(
            text,
            "void {BLOCK_SYMBOL}(const void *const *mathsmith_in, void *mathsmith_out, __UINT64_TYPE__ mathsmith_n,\n\
             \x20                    __UINT64_TYPE__ *mathsmith_at);\n\n\
             void {BLOCK_SYMBOL}(const void *const *mathsmith_in, void *mathsmith_out, __UINT64_TYPE__ mathsmith_n,\n\
             \x20                    __UINT64_TYPE__ *mathsmith_at) {{"
        );
        for i in 0..self.arity {
            // The cast takes `const` away where the subject wants it so.
            let _ = writeln!(text, "    {c} *const {} = ({c} *)mathsmith_in[{i}];", input(i));
        }
        let _ = writeln!(text, "    {c} *const mathsmith_r = ({c} *)mathsmith_out;");
        let _ = writeln!(text, "    volatile __UINT64_TYPE__ *const mathsmith_row = mathsmith_at;");
        let _ = writeln!(text, "    mathsmith_call = {target};");
        let _ = match self.arrays {
            None => writeln!(
                text,
                "    for (__UINT64_TYPE__ mathsmith_i = 0; mathsmith_i < mathsmith_n; mathsmith_i++) {{\n\
                 \x20       *mathsmith_row = mathsmith_i;\n\
                 \x20       mathsmith_r[mathsmith_i] = mathsmith_call({});\n    }}",
                self.arguments(false, &|i| format!("{}[mathsmith_i]", input(i)), "", "")
            ),
            Some(a) => writeln!(
                text,
                "    *mathsmith_row = 0;\n    mathsmith_call({});",
                self.arguments(
                    if a.told { a.output_first } else { output_first },
                    &input,
                    "mathsmith_r",
                    &format!("({})mathsmith_n", a.count)
                )
            ),
        };
        text.push_str("}\n");
        text
    }
}

/// The expression that is the index, plus one, of the type of function `f` in [`Form::all`], and zero for every other
/// type: C's own type system decides, aliases and qualifiers included.
pub(super) fn selection() -> String {
    let mut text = String::new();
    for half in [true, false] {
        // Without the type there is no row for it.
        text.push_str(if half { "#ifdef __FLT16_MAX__\n" } else { "#else\n" });
        text.push_str("#define MATHSMITH_FORM(f) (__extension__ _Generic(&(f), \\\n");
        for (i, form) in Form::all().iter().enumerate().filter(|(_, form)| half || !form.is_half()) {
            let _ = writeln!(text, "    {}: {}, \\", form.declaration("(*)"), i + 1);
        }
        text.push_str("    default: 0))\n");
    }
    text.push_str("#endif\n");
    text
}

/// The types that can be measured, for messages.
pub(super) const SUPPORTED: &str = "float f(float), float f(float, float), the same of double and of uint16_t (bits of \
    f16 or bf16), _Float16 where the compiler has it, and arrays: void f(const float *in, float *out, size_t n), with the \
    result or the count first, two inputs, other elements, or int, unsigned, long for the count";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_are_distinct_and_readable() {
        let forms = Form::all();
        let mut texts: Vec<String> = forms.iter().map(|f| f.declaration("f")).collect();
        assert!(texts.contains(&"float f(float)".into()));
        assert!(texts.contains(&"double f(double, double)".into()));
        assert!(texts.contains(&"void f(const float *, float *, unsigned long)".into()));
        assert!(texts.contains(&"void f(int, double *, const double *, const double *)".into()));
        texts.sort();
        texts.dedup();
        assert_eq!(texts.len(), forms.len());
    }

    #[test]
    fn what_the_type_tells_goes_before_what_is_asked() {
        let told = |text: &str| *Form::all().iter().find(|f| f.declaration("f") == text).expect("supported");
        let form = told("void f(const float *, float *, int)");
        assert_eq!(form.signature(true).shape, Shape::Array { output_first: false });
        assert!(!form.is_open());
        let form = told("void f(float *, float *, int)");
        assert_eq!(form.signature(true).shape, Shape::Array { output_first: true });
        assert!(form.is_open());
        let text = form.wrapper("", "g", true);
        assert!(text.contains("mathsmith_call(mathsmith_r, mathsmith_x, (int)mathsmith_n);"), "{text}");
    }
}
