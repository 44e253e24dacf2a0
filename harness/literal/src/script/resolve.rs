//! What an expression is, followed through constants, spreads and choices, as far as that is written.

use super::collect::{Candidate, Change, Collected, Source, last_name, name_of};
use super::span;
use crate::{Entry, HOLE, Kind, Span, Value};
use oxc_ast::ast::{
    ArrayExpression, ArrayExpressionElement, BinaryOperator, CallExpression, Expression,
    ObjectExpression, ObjectPropertyKind, TemplateLiteral,
};
use oxc_span::GetSpan;
use std::collections::BTreeSet;

/// More constants of constants than anybody writes, unless one stands for itself.
const DEEPEST: usize = 32;

/// More values than a file can hold as a configuration, unless constants spread each other many times over.
const MOST_VALUES: usize = 200_000;

pub(super) struct Resolver<'c, 'a> {
    collected: &'c Collected<'a>,
    /// Where the lists begin that were followed.
    followed: BTreeSet<u32>,
    depth: usize,
    values: usize,
    /// Where the program decides when it runs.
    decided: Vec<Span>,
}

impl<'c, 'a> Resolver<'c, 'a> {
    pub fn new(collected: &'c Collected<'a>) -> Self {
        Self {
            collected,
            followed: BTreeSet::new(),
            depth: 0,
            values: 0,
            decided: Vec::new(),
        }
    }

    /// A candidate's servers. `None` where they are computed, or a part of a list that was followed before.
    pub fn list(&mut self, candidate: &Candidate<'a>) -> Option<Value> {
        self.values = 0;
        self.decided.clear();
        let list = match candidate.value {
            Source::Key(expression) => {
                let value = self.value(expression);
                if last_name(expression) == Some("iceServers") {
                    value
                } else {
                    self.changed("iceServers", value)
                }
            }
            Source::List(list, _) if self.followed.contains(&list.span.start) => return None,
            Source::List(list, variable) => {
                let value = self.array(list);
                match variable {
                    Some(name) => self.changed(name, value),
                    None => value,
                }
            }
        };
        match list.kind {
            Kind::List(_) => Some(list),
            Kind::Either(_) => Some(Value::new(Kind::List(flat(list.members())), list.span)),
            _ => None,
        }
    }

    /// The places of all choices and changes since the last candidate's servers were asked for.
    pub fn take_decided(&mut self) -> Vec<Span> {
        let mut decided = std::mem::take(&mut self.decided);
        decided.sort_by_key(|span| (span.start, span.end));
        decided.dedup();
        decided
    }

    fn span(&self, found: oxc_span::Span) -> Span {
        span(found, self.collected.shift)
    }

    fn value(&mut self, expression: &'a Expression<'a>) -> Value {
        let place = self.span(expression.span());
        self.values += 1;
        if self.depth >= DEEPEST || self.values > MOST_VALUES {
            return Value::computed(place);
        }
        self.depth += 1;
        let value = self.followed_value(expression.get_inner_expression(), place);
        self.depth -= 1;
        value
    }

    fn followed_value(&mut self, expression: &'a Expression<'a>, place: Span) -> Value {
        match expression {
            Expression::StringLiteral(text) => {
                Value::new(Kind::Text(text.value.to_string()), place)
            }
            Expression::TemplateLiteral(template) => {
                Value::new(Kind::Text(self.template(template)), place)
            }
            Expression::BinaryExpression(sum) if sum.operator == BinaryOperator::Addition => {
                let text = [&sum.left, &sum.right].map(|part| self.text(part)).concat();
                Value::new(Kind::Text(text), place)
            }
            Expression::ArrayExpression(list) => self.array(list),
            Expression::ObjectExpression(object) => self.object(object),
            Expression::ConditionalExpression(choice) => {
                self.either([&choice.consequent, &choice.alternate], place)
            }
            Expression::LogicalExpression(choice) if choice.operator.is_and() => {
                self.decided.push(place);
                self.value(&choice.right)
            }
            Expression::LogicalExpression(choice) => {
                self.either([&choice.left, &choice.right], place)
            }
            Expression::Identifier(name) if name.name == "undefined" => {
                Value::new(Kind::Null("undefined"), place)
            }
            Expression::Identifier(name) => {
                let name = name.name.as_str();
                let written = self.collected.variable(name);
                self.named(name, written, place)
            }
            Expression::StaticMemberExpression(member) => {
                let name = member.property.name.as_str();
                match member.object.get_inner_expression() {
                    Expression::ThisExpression(_) => {
                        let written = self.collected.property(name);
                        self.named(name, written, place)
                    }
                    object => self.member(object, name, place),
                }
            }
            Expression::PrivateFieldExpression(member) => {
                let name = member.field.name.as_str();
                let written = self.collected.property(name);
                self.named(name, written, place)
            }
            Expression::CallExpression(call) => self.call(call, place),
            Expression::NullLiteral(_) => Value::new(Kind::Null("null"), place),
            Expression::BooleanLiteral(truth) => Value::new(Kind::Bool(truth.value), place),
            Expression::NumericLiteral(number) => {
                Value::new(Kind::Number(number.value.to_string()), place)
            }
            Expression::BigIntLiteral(number) => {
                Value::new(Kind::Number(number.value.to_string()), place)
            }
            _ => Value::computed(place),
        }
    }

    fn array(&mut self, list: &'a ArrayExpression<'a>) -> Value {
        self.followed.insert(list.span.start);
        let mut members = Vec::new();
        for element in &list.elements {
            match element {
                ArrayExpressionElement::SpreadElement(spread) => {
                    let value = self.value(&spread.argument);
                    spread_into(&mut members, value);
                }
                ArrayExpressionElement::Elision(_) => {}
                element => {
                    if let Some(expression) = element.as_expression() {
                        members.push(self.value(expression));
                    }
                }
            }
        }
        Value::new(Kind::List(members), self.span(list.span))
    }

    pub fn object(&mut self, object: &'a ObjectExpression<'a>) -> Value {
        let mut entries = Vec::new();
        for property in &object.properties {
            match property {
                ObjectPropertyKind::ObjectProperty(property) => entries.push(Entry {
                    key: match name_of(&property.key) {
                        Some(key) if !property.computed => Some(key.to_owned()),
                        _ => None,
                    },
                    key_span: self.span(property.key.span()),
                    value: self.value(&property.value),
                }),
                ObjectPropertyKind::SpreadProperty(spread) => {
                    let place = self.span(spread.span);
                    match self.value(&spread.argument).kind {
                        Kind::Table(more) => entries.extend(more),
                        _ => entries.push(Entry {
                            key: None,
                            key_span: place.clone(),
                            value: Value::computed(place),
                        }),
                    }
                }
            }
        }
        Value::new(Kind::Table(entries), self.span(object.span))
    }

    fn either(&mut self, choices: [&'a Expression<'a>; 2], place: Span) -> Value {
        self.decided.push(place.clone());
        let choices = choices.map(|choice| self.value(choice));
        Value::new(Kind::Either(choices.into()), place)
    }

    fn named(&mut self, name: &str, written: Option<&'a Expression<'a>>, place: Span) -> Value {
        let Some(written) = written else {
            return Value::computed(place);
        };
        let value = self.value(written);
        self.changed(name, value)
    }

    /// A value with what is done to it under a name. Of all but lists nobody knows what it is in the end.
    fn changed(&mut self, name: &str, value: Value) -> Value {
        let collected = self.collected;
        let changes = collected.changes.get(name).map_or(&[][..], Vec::as_slice);
        if changes.is_empty() {
            return value;
        }
        let Kind::List(mut members) = value.kind else {
            return Value::computed(value.span);
        };
        for change in changes {
            let place = match change {
                Change::Member(expression) | Change::Value(expression) => expression.span(),
                Change::Unknown(place) => *place,
            };
            self.decided.push(self.span(place));
            match change {
                Change::Member(expression) => members.push(self.value(expression)),
                Change::Value(expression) => {
                    let value = self.value(expression);
                    spread_into(&mut members, value);
                }
                Change::Unknown(place) => members.push(Value::computed(self.span(*place))),
            }
        }
        Value::new(Kind::List(members), value.span)
    }

    fn member(&mut self, object: &'a Expression<'a>, name: &str, place: Span) -> Value {
        let object = self.value(object);
        match object.get(name) {
            Some(entry) => entry.value.clone(),
            None => Value::computed(place),
        }
    }

    /// Calls that give what they are given: `Object.freeze(list)`, `list.filter(Boolean)`.
    fn call(&mut self, call: &'a CallExpression<'a>, place: Span) -> Value {
        let Expression::StaticMemberExpression(callee) = call.callee.get_inner_expression() else {
            return Value::computed(place);
        };
        let receiver = last_name(&callee.object);
        let given = match (receiver, callee.property.name.as_str()) {
            (Some("Object"), "freeze") => {
                call.arguments.first().and_then(|one| one.as_expression())
            }
            (_, "filter") => {
                let by = call.arguments.first().and_then(|one| one.as_expression());
                if by.and_then(last_name) != Some("Boolean") {
                    self.decided.push(place.clone());
                }
                Some(&callee.object)
            }
            _ => None,
        };
        match given {
            Some(given) => self.value(given),
            None => Value::computed(place),
        }
    }

    fn template(&mut self, template: &'a TemplateLiteral<'a>) -> String {
        let mut text = String::new();
        let mut parts = template.expressions.iter();
        for quasi in &template.quasis {
            match &quasi.value.cooked {
                Some(cooked) => text.push_str(cooked),
                None => text.push(HOLE),
            }
            if let Some(part) = parts.next() {
                text.push_str(&self.text(part));
            }
        }
        text
    }

    fn text(&mut self, expression: &'a Expression<'a>) -> String {
        match (self.value(expression).kind, expression) {
            (Kind::Text(text), _) => text,
            (_, Expression::NumericLiteral(number)) => number.value.to_string(),
            _ => HOLE.to_string(),
        }
    }
}

fn spread_into(members: &mut Vec<Value>, value: Value) {
    match value.kind {
        Kind::List(more) => members.extend(more),
        Kind::Either(choices) => {
            for choice in choices {
                spread_into(members, choice);
            }
        }
        // `...(condition && [...])` spreads nothing where the condition does not hold.
        Kind::Number(_) | Kind::Bool(_) | Kind::Null(_) => {}
        _ => members.push(Value::computed(value.span)),
    }
}

/// The members of lists of which one is meant.
fn flat(choices: Vec<&Value>) -> Vec<Value> {
    let mut members = Vec::new();
    for choice in choices {
        spread_into(&mut members, choice.clone());
    }
    members
}
