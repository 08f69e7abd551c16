//! Who is calling, is there room and time?
