//! Indentation: the emitters write lines, this says how far to the right each one starts.

/// What one level is.
const INDENT: &str = "    ";

/// Indents each line by the lines around it that open brackets, and leaves one empty line where there are several.
///
/// Several brackets that one line opens are one level. Brackets in comments do not count. Strings in generated code hold none.
#[must_use]
pub(super) fn layout(text: &str) -> String {
    let mut out = String::with_capacity(text.len() * 5 / 4);
    // How many brackets each level has left to close.
    let mut levels: Vec<usize> = Vec::new();
    let mut empty = false;
    for line in text.lines().map(str::trim) {
        if line.is_empty() {
            empty = true;
            continue;
        }
        // No empty line after what opens a block, none before what closes one.
        if empty && !line.starts_with(CLOSING) && !out.ends_with("{\n") && !out.is_empty() {
            out.push('\n');
        }
        empty = false;
        let code = if line.starts_with("//") { "" } else { line };
        let rest = code.trim_start_matches(CLOSING);
        close(&mut levels, code.len() - rest.len());
        for _ in 0..levels.len() {
            out.push_str(INDENT);
        }
        out.push_str(line);
        out.push('\n');
        let opened = rest.matches(OPENING).count();
        let closed = rest.matches(CLOSING).count();
        if opened > closed {
            levels.push(opened - closed);
        } else {
            close(&mut levels, closed - opened);
        }
    }
    out
}

const OPENING: [char; 3] = ['{', '(', '['];
const CLOSING: [char; 3] = ['}', ')', ']'];

fn close(levels: &mut Vec<usize>, mut count: usize) {
    while let Some(level) = levels.last_mut().filter(|_| count > 0) {
        let closed = count.min(*level);
        *level -= closed;
        count -= closed;
        if *level == 0 {
            levels.pop();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_stand_under_what_they_belong_to() {
        let text = "mod a {\n\n/// One {.\nfn b() {\nc(1\n| 2);\n}\n\n\n  const D: [u8; 1] = [\n1,\n];\n\n}\n";
        let expected = "mod a {\n    /// One {.\n    fn b() {\n        c(1\n            | 2);\n    }\n\n    const D: [u8; 1] = [\n        1,\n    ];\n}\n";
        assert_eq!(layout(text), expected);
    }
}
