//! Speed of compiled emitted code beside that of peers, and calibration of machine models.
