//! What the tests of error reports share.

use miette::{Diagnostic, GraphicalReportHandler, GraphicalTheme};

/// The report as a person without colours sees it.
pub fn render(error: &dyn Diagnostic) -> String {
    let mut report = String::new();
    // Where lines break depends on features of textwrap, which whatever else is built with this turns on.
    let handler = GraphicalReportHandler::new_themed(GraphicalTheme::none())
        .with_width(100)
        .with_wrap_lines(false);
    match handler.render_report(&mut report, error) {
        Ok(()) => report,
        Err(failure) => format!("cannot be rendered: {failure}"),
    }
}
