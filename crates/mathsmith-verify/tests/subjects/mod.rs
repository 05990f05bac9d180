//! Subjects made of closures.
#![allow(dead_code, reason = "each test crate uses some of them")]

use mathsmith_ir::{ColumnMut, ColumnRef, Engine, EngineError, Literal};
use mathsmith_oracle::Reference;
use mathsmith_verify::Subject;
use std::sync::Arc;

type Function = dyn Fn(&[f64]) -> f64 + Send + Sync;
type Predicate = dyn Fn(&[f64]) -> bool + Send + Sync;

struct Called {
    f: Arc<Function>,
    fails: Arc<Predicate>,
}

impl Engine for Called {
    fn run(&mut self, _: &[Literal], x: &[ColumnRef<'_>], y: &mut [ColumnMut<'_>]) -> Result<(), EngineError> {
        let at = |i: usize| -> Vec<f64> {
            x.iter()
                .map(|column| match column {
                    ColumnRef::F32(x) => f64::from(x[i]),
                    ColumnRef::F64(x) => x[i],
                    _ => f64::NAN,
                })
                .collect()
        };
        for i in 0..y[0].len() {
            let x = at(i);
            if (self.fails)(&x) {
                return Err(EngineError::Failed { row: Some(i), what: "it crashed".into() });
            }
            let result = (self.f)(&x);
            match &mut y[0] {
                ColumnMut::F32(y) => y[i] = result as f32,
                ColumnMut::F64(y) => y[i] = result,
                _ => return Err(EngineError::Signature("float columns".into())),
            }
        }
        Ok(())
    }
}

/// A subject that computes `f` in doubles.
pub fn subject(f: impl Fn(&[f64]) -> f64 + Send + Sync + 'static) -> Subject<'static> {
    let f: Arc<Function> = Arc::new(f);
    let start = move || -> Result<Box<dyn Engine>, EngineError> {
        Ok(Box::new(Called { f: f.clone(), fails: Arc::new(|_| false) }))
    };
    Subject { name: "subject".to_owned(), params: Vec::new(), start: Box::new(start) }
}

/// A subject of one argument.
pub fn one(f: impl Fn(f64) -> f64 + Send + Sync + 'static) -> Subject<'static> {
    subject(move |x| f(x[0]))
}

/// A subject that crashes on some inputs.
pub fn failing(fails: impl Fn(&[f64]) -> bool + Send + Sync + 'static) -> Subject<'static> {
    let fails: Arc<Predicate> = Arc::new(fails);
    let start = move || -> Result<Box<dyn Engine>, EngineError> {
        Ok(Box::new(Called { f: Arc::new(|x| x[0]), fails: fails.clone() }))
    };
    Subject { name: "failing".to_owned(), params: Vec::new(), start: Box::new(start) }
}

/// A reference from text.
pub fn reference(text: &str) -> Reference {
    Reference::new(&mathsmith_dsl::parse_expr(text).unwrap()).unwrap()
}
