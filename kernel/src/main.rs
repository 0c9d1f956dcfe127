//! `firesteel`: the Jupyter kernel and the command line around it.

fn main() -> std::process::ExitCode {
    firesteel_kernel::cli::main()
}
