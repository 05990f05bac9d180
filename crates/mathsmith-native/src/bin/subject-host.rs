//! The child process of subjects, for the tests and examples of `mathsmith-native`.

fn main() -> std::process::ExitCode {
    mathsmith_native::subject::host_main()
}
