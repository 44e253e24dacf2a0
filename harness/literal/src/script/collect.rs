//! A program's names, literals, and what may be a configuration.

use super::span;
use crate::Span;
use oxc_ast::AstKind;
use oxc_ast::ast::{
    ArrayExpression, ArrayExpressionElement, AssignmentTarget, BindingPattern, CallExpression,
    Expression, ObjectExpression, ObjectPropertyKind, Program, PropertyKey,
};
use oxc_ast_visit::Visit;
use oxc_span::GetSpan;
use std::collections::HashMap;

/// The key under which W3C `RTCConfiguration` has its servers.
const KEY: &str = "iceServers";

/// What may be a configuration.
pub(super) struct Candidate<'a> {
    /// The function, method or variable that it stands in.
    pub name: Option<String>,
    /// The place of the key, or of the list.
    pub span: Span,
    pub value: Source<'a>,
    /// The object that it is a part of.
    pub object: Option<&'a ObjectExpression<'a>>,
}

/// Where a candidate's servers are.
#[derive(Clone, Copy)]
pub(super) enum Source<'a> {
    /// Under the key `iceServers`, whatever it is.
    Key(&'a Expression<'a>),
    /// A list of entries, under whatever name: that of the innermost variable or function.
    List(&'a ArrayExpression<'a>, Option<&'a str>),
}

/// How a variable or property is changed after it was made.
#[derive(Clone, Copy)]
pub(super) enum Change<'a> {
    /// One more member of a list.
    Member(&'a Expression<'a>),
    /// Another value.
    Value(&'a Expression<'a>),
    /// In a way that cannot be followed.
    Unknown(oxc_span::Span),
}

/// All that is needed of a program.
#[derive(Default)]
pub(super) struct Collected<'a> {
    pub shift: usize,
    /// Literals and comments.
    pub hidden: Vec<Span>,
    pub candidates: Vec<Candidate<'a>>,
    pub changes: HashMap<&'a str, Vec<Change<'a>>>,
    /// How often each name is declared.
    declared: HashMap<&'a str, usize>,
    variables: HashMap<&'a str, &'a Expression<'a>>,
    /// Properties of classes.
    properties: HashMap<&'a str, Vec<&'a Expression<'a>>>,
    /// What the node that is looked at stands in; `None` for what has no name.
    within: Vec<Option<&'a str>>,
}

impl<'a> Collected<'a> {
    pub fn of(program: &Program<'a>, shift: usize) -> Self {
        let mut collected = Self {
            shift,
            ..Self::default()
        };
        for comment in &program.comments {
            collected.hide(comment.content_span());
        }
        collected.visit_program(program);
        // What stands under the key comes first: it knows the policy, and what changes the list later.
        collected
            .candidates
            .sort_by_key(|candidate| matches!(candidate.value, Source::List(..)));
        collected
    }

    /// What a name stands for, if that can be told: it is declared once in the whole file.
    pub fn variable(&self, name: &str) -> Option<&'a Expression<'a>> {
        let once = self.declared.get(name) == Some(&1);
        self.variables.get(name).copied().filter(|_| once)
    }

    /// What `this.name` stands for, if that can be told.
    pub fn property(&self, name: &str) -> Option<&'a Expression<'a>> {
        match self.properties.get(name)?.as_slice() {
            [only] => Some(only),
            _ => None,
        }
    }

    fn hide(&mut self, literal: oxc_span::Span) {
        self.hidden.push(span(literal, self.shift));
    }

    /// The name of the innermost function, method or variable that has one.
    fn name(&self) -> Option<String> {
        let name = self.within.iter().rev().find_map(|name| *name);
        name.map(str::to_owned)
    }

    fn candidate(
        &mut self,
        place: oxc_span::Span,
        value: Source<'a>,
        object: Option<&'a ObjectExpression<'a>>,
    ) {
        let candidate = Candidate {
            name: self.name(),
            span: span(place, self.shift),
            value,
            object,
        };
        self.candidates.push(candidate);
    }

    fn object(&mut self, object: &'a ObjectExpression<'a>) {
        for property in &object.properties {
            if let ObjectPropertyKind::ObjectProperty(property) = property
                && !property.computed
                && name_of(&property.key) == Some(KEY)
            {
                let value = Source::Key(&property.value);
                self.candidate(property.key.span(), value, Some(object));
            }
        }
    }

    fn list(&mut self, list: &'a ArrayExpression<'a>) {
        let is_entry = |element: &ArrayExpressionElement<'a>| {
            let expression = element
                .as_expression()
                .map(Expression::get_inner_expression);
            matches!(expression, Some(Expression::ObjectExpression(object)) if is_entry(object))
        };
        if list.elements.iter().any(is_entry) {
            let start = list.span.start;
            let bracket = oxc_span::Span::new(start, start + 1);
            let variable = self.within.last().copied().flatten();
            self.candidate(bracket, Source::List(list, variable), None);
        }
    }

    fn call(&mut self, call: &'a CallExpression<'a>) {
        let Expression::StaticMemberExpression(callee) = call.callee.get_inner_expression() else {
            return;
        };
        let Some(name) = last_name(&callee.object) else {
            return;
        };
        let changes = self.changes.entry(name).or_default();
        match callee.property.name.as_str() {
            "push" | "unshift" => changes.extend(call.arguments.iter().map(|argument| {
                let expression = argument.as_expression();
                expression.map_or(Change::Unknown(argument.span()), Change::Member)
            })),
            "splice" => changes.push(Change::Unknown(call.span)),
            _ => {}
        }
    }

    fn assignment(&mut self, target: &'a AssignmentTarget<'a>, value: &'a Expression<'a>) {
        match target {
            AssignmentTarget::AssignmentTargetIdentifier(identifier) => {
                let changes = self.changes.entry(identifier.name.as_str()).or_default();
                changes.push(Change::Value(value));
            }
            AssignmentTarget::StaticMemberExpression(member) => {
                let name = member.property.name.as_str();
                if name == KEY {
                    self.candidate(member.property.span, Source::Key(value), None);
                } else {
                    let changes = self.changes.entry(name).or_default();
                    changes.push(Change::Value(value));
                }
            }
            _ => {}
        }
    }
}

impl<'a> Visit<'a> for Collected<'a> {
    fn enter_node(&mut self, kind: AstKind<'a>) {
        match kind {
            AstKind::StringLiteral(literal) => {
                let oxc_span::Span { start, end, .. } = literal.span;
                let end = end.saturating_sub(1).max(start + 1);
                self.hide(oxc_span::Span::new(start + 1, end));
            }
            AstKind::TemplateElement(literal) => self.hide(literal.span),
            AstKind::NumericLiteral(literal) => self.hide(literal.span),
            AstKind::BigIntLiteral(literal) => self.hide(literal.span),
            AstKind::RegExpLiteral(literal) => self.hide(literal.span),
            AstKind::JSXText(literal) => self.hide(literal.span),
            AstKind::BindingIdentifier(identifier) => {
                *self.declared.entry(identifier.name.as_str()).or_default() += 1;
            }
            AstKind::VariableDeclarator(declarator) => {
                let name = match &declarator.id {
                    BindingPattern::BindingIdentifier(id) => Some(id.name.as_str()),
                    _ => None,
                };
                if let (Some(name), Some(value)) = (name, &declarator.init) {
                    self.variables.insert(name, value);
                }
                self.within.push(name);
            }
            AstKind::PropertyDefinition(property) => {
                let name = name_of(&property.key);
                if let (Some(name), Some(value)) = (name, &property.value) {
                    self.properties.entry(name).or_default().push(value);
                    if name == KEY {
                        self.candidate(property.key.span(), Source::Key(value), None);
                    }
                }
                self.within.push(name);
            }
            AstKind::MethodDefinition(method) => self.within.push(name_of(&method.key)),
            AstKind::Function(function) => {
                self.within
                    .push(function.id.as_ref().map(|id| id.name.as_str()));
            }
            AstKind::ObjectExpression(object) => self.object(object),
            AstKind::ArrayExpression(list) => self.list(list),
            AstKind::CallExpression(call) => self.call(call),
            AstKind::AssignmentExpression(assignment) => {
                self.assignment(&assignment.left, &assignment.right);
            }
            _ => {}
        }
    }

    fn leave_node(&mut self, kind: AstKind<'a>) {
        if matches!(
            kind,
            AstKind::VariableDeclarator(_)
                | AstKind::PropertyDefinition(_)
                | AstKind::MethodDefinition(_)
                | AstKind::Function(_)
        ) {
            self.within.pop();
        }
    }
}

/// The name of a key, where it is written as a name or a text.
pub(super) fn name_of<'a>(key: &'a PropertyKey<'a>) -> Option<&'a str> {
    match key {
        PropertyKey::StaticIdentifier(name) => Some(name.name.as_str()),
        PropertyKey::StringLiteral(text) => Some(text.value.as_str()),
        PropertyKey::PrivateIdentifier(name) => Some(name.name.as_str()),
        _ => None,
    }
}

/// The last name of `a`, `this.a` or `b.c.a`.
pub(super) fn last_name<'a>(expression: &'a Expression<'a>) -> Option<&'a str> {
    match expression.get_inner_expression() {
        Expression::Identifier(identifier) => Some(identifier.name.as_str()),
        Expression::StaticMemberExpression(member) => Some(member.property.name.as_str()),
        Expression::PrivateFieldExpression(member) => Some(member.field.name.as_str()),
        _ => None,
    }
}

/// Whether an object is an entry of `iceServers`: it has `urls`, and besides a URL of ICE or a credential.
fn is_entry(object: &ObjectExpression<'_>) -> bool {
    let mut has_urls = false;
    let mut is_ice = false;
    for property in &object.properties {
        let ObjectPropertyKind::ObjectProperty(property) = property else {
            continue;
        };
        match name_of(&property.key) {
            Some("urls" | "url") => {
                has_urls = true;
                is_ice |= begins_as_ice(&property.value);
            }
            Some("credential") => is_ice = true,
            _ => {}
        }
    }
    has_urls && is_ice
}

fn begins_as_ice(value: &Expression<'_>) -> bool {
    let text = match value.get_inner_expression() {
        Expression::StringLiteral(text) => text.value.as_str(),
        Expression::TemplateLiteral(template) => match template.quasis.first() {
            Some(first) => first.value.raw.as_str(),
            None => return false,
        },
        Expression::ArrayExpression(list) => {
            let mut members = list
                .elements
                .iter()
                .filter_map(|element| element.as_expression());
            return members.any(begins_as_ice);
        }
        _ => return false,
    };
    let text = text.to_ascii_lowercase();
    ["stun:", "stuns:", "turn:", "turns:"]
        .iter()
        .any(|scheme| text.starts_with(scheme))
}
