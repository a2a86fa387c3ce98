//! The rule about the length of functions, counted by a real parser.

use super::files::is_work;
use super::{Finding, Source};
use proc_macro2::Span;
use syn::spanned::Spanned;
use syn::visit::{self, Visit};

const LINES_MAX: usize = 100;
const LINES_ADVISED: usize = 70;

/// Looks at the functions of one Rust file.
pub fn check(source: &Source) -> Vec<Finding> {
    if !source.path.ends_with(".rs") {
        return Vec::new();
    }
    let file = match syn::parse_file(&source.text) {
        Ok(file) => file,
        Err(reason) => return vec![Finding::failure(&source.path, format!("could not be parsed: {reason}"))],
    };
    let mut visitor = Functions { source, lines: source.text.lines().collect(), findings: Vec::new() };
    visitor.visit_file(&file);
    visitor.findings
}

struct Functions<'a> {
    source: &'a Source,
    lines: Vec<&'a str>,
    findings: Vec<Finding>,
}

impl Functions<'_> {
    fn measure(&mut self, name: &syn::Ident, block: Span) {
        let (first, last) = (block.start().line, block.end().line);
        // The lines between the braces.
        let body = self.lines.get(first..last.saturating_sub(1)).unwrap_or_default();
        let n_lines = body.iter().filter(|line| is_work(line)).count();
        let place = format!("{}:{first}", self.source.path);
        if n_lines > LINES_MAX {
            let sentence = format!("`{name}` has {n_lines} lines, the limit is {LINES_MAX}");
            self.findings.push(Finding::failure(place, sentence));
        } else if n_lines > LINES_ADVISED {
            let sentence = format!("`{name}` has {n_lines} lines; {LINES_ADVISED} are advised");
            self.findings.push(Finding::advice(place, sentence));
        }
    }
}

impl<'ast> Visit<'ast> for Functions<'_> {
    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        self.measure(&item.sig.ident, item.block.span());
        visit::visit_item_fn(self, item);
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        self.measure(&item.sig.ident, item.block.span());
        visit::visit_impl_item_fn(self, item);
    }

    fn visit_trait_item_fn(&mut self, item: &'ast syn::TraitItemFn) {
        if let Some(block) = &item.default {
            self.measure(&item.sig.ident, block.span());
        }
        visit::visit_trait_item_fn(self, item);
    }
}
