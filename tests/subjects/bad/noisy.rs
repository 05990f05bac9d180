//! Bad manners: prints for every call, to both streams.

pub fn my_loudf(x: f32) -> f32 {
    println!("my_loudf({x})");
    eprintln!("still here");
    x
}
