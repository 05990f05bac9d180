//! A check of well-formed XML, as far as our pictures use it: elements, attributes, text, the five named entities.

/// What is wrong first, if anything.
pub fn check(text: &str) -> Result<(), String> {
    let mut open: Vec<String> = Vec::new();
    let mut rest = text;
    let mut roots = 0;
    while let Some(start) = rest.find('<') {
        content(&rest[..start], open.is_empty())?;
        let end = rest[start..].find('>').ok_or("a tag does not end")? + start;
        let tag = &rest[start + 1..end];
        rest = &rest[end + 1..];
        if let Some(name) = tag.strip_prefix('/') {
            let top = open.pop().ok_or_else(|| format!("</{name}> closes nothing"))?;
            if top != name {
                return Err(format!("</{name}> closes <{top}>"));
            }
            continue;
        }
        let (tag, empty) = tag.strip_suffix('/').map_or((tag, false), |t| (t, true));
        roots += usize::from(open.is_empty());
        let name = attributes(tag)?;
        if !empty {
            open.push(name);
        }
    }
    content(rest, true)?;
    match (open.pop(), roots) {
        (Some(name), _) => Err(format!("<{name}> is not closed")),
        (None, 1) => Ok(()),
        (None, n) => Err(format!("{n} roots")),
    }
}

/// Text between tags: entities only where `&` stands, characters that XML has.
fn content(text: &str, outside: bool) -> Result<(), String> {
    if outside && !text.trim().is_empty() {
        return Err(format!("text outside the root: {text:?}"));
    }
    if let Some(c) = text.chars().find(|c| *c < ' ' && !matches!(c, '\n' | '\r' | '\t')) {
        return Err(format!("character {c:?}"));
    }
    for part in text.split('&').skip(1) {
        if !["amp;", "lt;", "gt;", "quot;", "apos;"].iter().any(|e| part.starts_with(e)) {
            return Err(format!("a bare & before {:?}", part.chars().take(12).collect::<String>()));
        }
    }
    Ok(())
}

/// Name of a start tag; its attributes are quoted and no name comes twice.
fn attributes(tag: &str) -> Result<String, String> {
    let (name, mut rest) = tag.split_once(char::is_whitespace).unwrap_or((tag, ""));
    if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric() || c == ':' || c == '-') {
        return Err(format!("element name {name:?}"));
    }
    let mut seen = Vec::new();
    while !rest.trim().is_empty() {
        let (attribute, after) = rest.trim_start().split_once("=\"").ok_or_else(|| format!("attribute in <{tag}>"))?;
        let (value, after) = after.split_once('"').ok_or_else(|| format!("quote in <{tag}>"))?;
        content(value, false)?;
        if attribute.contains(char::is_whitespace) || seen.contains(&attribute) {
            return Err(format!("attribute {attribute:?} in <{tag}>"));
        }
        seen.push(attribute);
        rest = after;
    }
    Ok(name.to_owned())
}
