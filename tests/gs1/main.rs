//! Every application identifier that GS1 has given out, with good and bad data, against an independent reader of GS1's
//! own dictionary (`make_cases.py`); and the decoder against `biip`, an independent implementation.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking, and may say why")]

mod allocation;
mod differential;
mod table;
