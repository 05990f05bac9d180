//! stub
#[derive(Debug)]
pub(crate) struct Plan;
impl Plan {
    pub(crate) fn new(_: &crate::dag::Dag) -> Plan {
        Plan
    }
}
