//! The director program, run in the kernel on one frame at a time, beside the same decision made
//! on the host with the same tables.

use lb_user::dataplane::director::{Director, Limits};

#[test]
fn loads() {
    let director = Director::load(
        None,
        Limits {
            services: 8,
            members: 8,
            slots: 64,
            flow_sets: 16,
        },
    )
    .unwrap();
    let info = director.program().unwrap().info().unwrap();
    println!(
        "director: {} instructions verified, {} bytes jited",
        info.verified_instruction_count().unwrap(),
        info.size_jitted()
    );
    let a = director.now().unwrap();
    std::thread::sleep(std::time::Duration::from_millis(2000));
    println!("{} {}", a, director.now().unwrap());
}
