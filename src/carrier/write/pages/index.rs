//! `index.html`: the content of the medium, the order, the reasons, and the digests. Plain HTML without a script,
//! for screen and print.

use super::checks::{IMPORT, TRUST, checks};
use super::contents::{PageContents, SetPage};
use crate::update::{Architecture, count, escape_hidden, human_size};

/// Escapes external text for HTML. Hidden characters are written out.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for letter in escape_hidden(text).chars() {
        match letter {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            other => safe.push(other),
        }
    }
    safe
}

/// Returns the text of the page.
pub(super) fn html(contents: &PageContents) -> String {
    let title = format!("Windows updates, export set {}", contents.label);
    let mut body = vec![format!("<h1>{title}</h1>")];
    body.push(format!(
        "<p class=\"soft\">Made {} by kbmirror. Valid {}. {}, {}, {}. Knowledge {}.</p>",
        escaped(&contents.created_text()),
        escaped(&contents.validity_text()),
        count(contents.sets.len(), "package set"),
        count(contents.files, "file"),
        human_size(contents.bytes),
        escaped(&contents.knowledge)
    ));
    if contents.demo {
        body.push(
            "<p class=\"demo\">DEMO: these files come from a recording. They are stand-ins and cannot be installed.</p>"
                .to_owned(),
        );
    }
    if !contents.missing.is_empty() {
        body.push("<div class=\"demo\">Incomplete. Selected, but missing on this medium:<ul>".to_owned());
        body.extend(contents.missing.iter().map(|(kb, why)| format!("<li>{kb} {}</li>", escaped(why))));
        body.push("</ul></div>".to_owned());
    }
    for (kb, successor, why) in &contents.withdrawn {
        body.push(format!(
            "<p class=\"demo\">{kb} is withdrawn ({}): install {successor} instead.</p>",
            escaped(why)
        ));
    }
    body.push(overview(contents));
    body.push(check_section(contents));
    let mut last = None;
    for set in &contents.sets {
        if last != Some(set.kb) {
            body.push(format!("<h2 id=\"{}\">{}</h2>", set.kb, set.kb));
            last = Some(set.kb);
        }
        body.push(set_section(set));
    }
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width\">\n\
         <title>{}{title}</title>\n<style>\n{}</style>\n</head>\n<body>\n{}\n</body>\n</html>\n",
        if contents.demo { "DEMO: " } else { "" },
        include_str!("style.css"),
        body.join("\n")
    )
}

fn overview(contents: &PageContents) -> String {
    // The last column would be empty if every set was selected itself.
    let has_along = contents.sets.iter().any(|set| !set.needed_by.is_empty());
    let mut rows = vec![format!(
        "<table>\n<tr><th>KB</th><th>for</th><th>architecture</th><th class=\"n\">files</th><th class=\"n\">size</th>{}</tr>",
        if has_along { "<th>needed by</th>" } else { "" }
    )];
    for set in &contents.sets {
        let size: u64 = set.files.iter().map(|file| file.size).sum();
        let along: Vec<String> = set.needed_by.iter().map(ToString::to_string).collect();
        let along = if has_along { format!("<td>{}</td>", along.join(", ")) } else { String::new() };
        rows.push(format!(
            "<tr><td><a href=\"#{kb}\">{kb}</a></td><td>{}</td><td>{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td>{along}</tr>",
            escaped(&set.products.join("; ")),
            set.architecture.map_or("every", Architecture::as_str),
            set.files.len(),
            human_size(size),
            kb = set.kb
        ));
    }
    rows.push("</table>".to_owned());
    rows.join("\n")
}

fn check_section(contents: &PageContents) -> String {
    let rows: Vec<String> = checks(contents)
        .iter()
        .map(|check| {
            let commands: Vec<String> =
                (check.commands.iter()).map(|command| format!("<code>{}</code>", escaped(command))).collect();
            let note = if check.note.is_empty() {
                String::new()
            } else {
                format!("<br><span class=\"soft\">{}</span>", escaped(check.note))
            };
            format!("<tr><td>{}</td><td>{}{note}</td></tr>", escaped(check.label), commands.join("<br>"))
        })
        .collect();
    format!(
        "<h3>Check the medium before you use it</h3>\n<table class=\"check\">\n{}\n</table>\n\
         <p>Root key of the mirror that made this medium. Compare it with the key that you have on paper:</p>\n\
         <p class=\"key\"><code>{key}</code><br><span class=\"soft\">id {id}</span></p>\n<p class=\"soft\">{trust}</p>\n\
         <p>Import it into the mirror on this side: <code>{IMPORT}</code></p>",
        rows.join("\n"),
        key = escaped(&contents.root_key),
        id = escaped(&contents.root_id),
        trust = escaped(&TRUST.join(" "))
    )
}

fn set_section(set: &SetPage) -> String {
    let mut lines = vec![format!(
        "<h3>{} <span class=\"soft\">{}</span></h3>",
        escaped(&set.products.join("; ")),
        set.architecture.map_or("every architecture", Architecture::as_str)
    )];
    lines.push(format!("<p><code>data/{}/{}/</code></p>", set.kb, escaped(&set.folder)));
    for (kb, folder, why) in &set.before {
        lines.push(format!(
            "<p class=\"note\">Install first: <a href=\"#{kb}\">{kb}</a>, in <code>data/{kb}/{}/</code>. {}</p>",
            escaped(folder),
            escaped(why)
        ));
    }
    lines.push(
        "<table>\n<tr><th class=\"n\">#</th><th>role, file name, and SHA-256</th><th class=\"n\">size</th></tr>"
            .to_owned(),
    );
    let mut order = 0;
    for file in &set.files {
        let known = file.role != "companion";
        order += usize::from(known);
        let number = if known { order.to_string() } else { "?".to_owned() };
        let why = if file.why.is_empty() {
            String::new()
        } else {
            format!(" <span class=\"soft\">{}</span>", escaped(&file.why))
        };
        lines.push(format!(
            "<tr><td class=\"n\">{number}</td><td><b>{}</b>{why}<br><code>{}</code><br><span class=\"digest\">{}</span></td><td class=\"n\">{}</td></tr>",
            escaped(&file.role.replace('_', " ")),
            escaped(&file.name),
            file.sha256,
            human_size(file.size)
        ));
    }
    lines.push("</table>".to_owned());
    if set.has_script {
        lines.push(format!(
            "<p>To install, run as administrator: <code>data\\{}\\{}.cmd</code>. The script checks the machine first and can be run again.</p>",
            set.kb,
            escaped(&set.folder)
        ));
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn external_text_is_escaped() {
        assert_eq!(escaped("<b>\"&'</b>"), "&lt;b&gt;&quot;&amp;&#39;&lt;/b&gt;");
    }
}
