//! Inputs with exact reference values, on which the error that a program *computes* is measured.

use crate::{Dd, FitError, Metric};
use mathsmith_ir::{Column, ColumnMut, ColumnRef, Type};

/// Points of a function of one variable. All columns have the same length.
#[derive(Clone, Debug, PartialEq)]
pub struct PointSet {
    /// Inputs, `f32` or `f64`.
    pub x: Column,
    /// Reference values rounded to double.
    pub y: Vec<f64>,
    /// What `y` leaves of the reference values.
    pub y_lo: Vec<f64>,
    /// Unit of the error at each point: `ulp(y)`, `|y|` or 1.
    pub unit: Vec<f64>,
    metric: Metric,
}

impl PointSet {
    /// No points yet. `ty` is the type of the inputs.
    ///
    /// # Errors
    /// [`FitError::Format`] unless `ty` is `f32` or `f64`.
    pub fn new(ty: Type, metric: Metric) -> Result<PointSet, FitError> {
        if !matches!(ty, Type::F32 | Type::F64) {
            return Err(FitError::Format(ty));
        }
        Ok(PointSet { x: Column::zeros(ty, 0), y: Vec::new(), y_lo: Vec::new(), unit: Vec::new(), metric })
    }

    /// Adds the input nearest to `x` with its reference value. A point whose error is undefined (relative error at a
    /// zero of the reference) is left out.
    ///
    /// # Errors
    /// [`FitError::Target`] if the reference value is not finite.
    pub fn push(&mut self, x: f64, target: &dyn Fn(f64) -> Dd) -> Result<(), FitError> {
        let rounded = match self.x {
            Column::F32(_) => f64::from(x as f32),
            _ => x,
        };
        let y = target(rounded);
        if !y.is_finite() {
            return Err(FitError::Target(format!("{rounded:e}")));
        }
        let unit = match self.metric {
            // At a zero of the function the error in ulp is defined, unlike the weight that a fit could use.
            Metric::Ulp(ty) if y.hi == 0.0 => crate::ulp(ty, y),
            metric => 1.0 / metric.weight(y),
        };
        if unit.is_finite() {
            match &mut self.x {
                Column::F32(v) => v.push(x as f32),
                Column::F64(v) => v.push(x),
                _ => return Err(FitError::Format(self.x.ty())),
            }
            self.y.push(y.hi);
            self.y_lo.push(y.lo);
            self.unit.push(unit);
        }
        Ok(())
    }

    /// Number of points.
    pub fn len(&self) -> usize {
        self.y.len()
    }

    /// Whether there are no points.
    pub fn is_empty(&self) -> bool {
        self.y.is_empty()
    }

    /// Input `i` as a double.
    pub fn input(&self, i: usize) -> f64 {
        match &self.x {
            Column::F32(v) => f64::from(v[i]),
            Column::F64(v) => v[i],
            _ => f64::NAN,
        }
    }

    /// Error of the computed value `c` at point `i`, in units; infinite if `c` is not finite.
    pub(crate) fn error(&self, i: usize, c: f64) -> f64 {
        let e = (((c - self.y[i]) - self.y_lo[i]) / self.unit[i]).abs();
        if e.is_nan() { f64::INFINITY } else { e }
    }

    /// Inputs `from..to` for an engine.
    pub(crate) fn slice(&self, from: usize, to: usize) -> ColumnRef<'_> {
        match &self.x {
            Column::F64(v) => ColumnRef::F64(&v[from..to]),
            Column::F32(v) => ColumnRef::F32(&v[from..to]),
            // `new` and `push` admit no other type; an engine reports the mismatch.
            _ => ColumnRef::F64(&[]),
        }
    }
}

/// A buffer for an engine's results, read as doubles.
#[derive(Debug)]
pub(crate) struct Results(Column);

impl Results {
    pub(crate) fn new(ty: Type, len: usize) -> Results {
        Results(Column::zeros(ty, len))
    }

    pub(crate) fn first(&mut self, n: usize) -> ColumnMut<'_> {
        match &mut self.0 {
            Column::F32(v) => ColumnMut::F32(&mut v[..n]),
            Column::F64(v) => ColumnMut::F64(&mut v[..n]),
            other => other.as_mut(),
        }
    }

    pub(crate) fn get(&self, i: usize) -> f64 {
        match &self.0 {
            Column::F32(v) => f64::from(v[i]),
            Column::F64(v) => v[i],
            _ => f64::NAN,
        }
    }
}

impl PointSet {
    /// A set of the same kind without points.
    pub(crate) fn emptied(&self) -> PointSet {
        PointSet { x: Column::zeros(self.x.ty(), 0), y: Vec::new(), y_lo: Vec::new(), unit: Vec::new(), ..*self }
    }

    /// Appends point `i` of a set of the same kind, or writes it over the one at `place`.
    pub(crate) fn copy_from(&mut self, from: &PointSet, i: usize, place: Option<usize>) {
        fn put<T: Copy>(to: &mut Vec<T>, value: T, place: Option<usize>) {
            match place {
                Some(at) => to[at] = value,
                None => to.push(value),
            }
        }
        match (&mut self.x, &from.x) {
            (Column::F32(to), Column::F32(from)) => put(to, from[i], place),
            (Column::F64(to), Column::F64(from)) => put(to, from[i], place),
            _ => return,
        }
        put(&mut self.y, from.y[i], place);
        put(&mut self.y_lo, from.y_lo[i], place);
        put(&mut self.unit, from.unit[i], place);
    }
}
