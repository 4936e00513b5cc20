//! Disks that are too small.
