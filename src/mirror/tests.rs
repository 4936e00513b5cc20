//! The store on a real file system.
