//! What follows from which types hold which: who borrows, who contains itself, who comes in and who goes out.

use std::collections::{BTreeMap, BTreeSet};

use super::{Model, Strings, Ty};
use crate::parse::Name;

impl Model {
    /// Finds, to a fixed point, what borrows.
    pub(super) fn find_borrows(&mut self) {
        loop {
            let borrowing: BTreeSet<Name> = self
                .constructors
                .values()
                .filter(|item| self.shape_borrows(&item.newest, self.strings))
                .map(|item| item.name().clone())
                .collect();
            let mut changed = false;
            for (name, item) in &mut self.constructors {
                let borrows = borrowing.contains(name);
                changed |= item.newest.borrows != borrows;
                item.newest.borrows = borrows;
            }
            for info in self.types.values_mut() {
                info.borrows = info.constructors.iter().any(|name| borrowing.contains(name));
            }
            if !changed {
                break;
            }
        }
        let functions: Vec<Name> = self.functions.keys().cloned().collect();
        for name in functions {
            if let Some(item) = self.functions.get(&name) {
                let borrows = self.shape_borrows(&item.newest, Strings::Borrowed);
                let old: Vec<bool> = item
                    .old
                    .iter()
                    .map(|old| self.shape_borrows(&old.shape, Strings::Borrowed))
                    .collect();
                if let Some(item) = self.functions.get_mut(&name) {
                    item.newest.borrows = borrows;
                    for (shape, borrows) in item.old.iter_mut().zip(old) {
                        shape.shape.borrows = borrows;
                    }
                }
            }
        }
        let names: Vec<Name> = self.constructors.keys().cloned().collect();
        for name in names {
            let old: Vec<bool> = self.constructors[&name]
                .old
                .iter()
                .map(|old| self.shape_borrows(&old.shape, self.strings))
                .collect();
            if let Some(item) = self.constructors.get_mut(&name) {
                for (shape, borrows) in item.old.iter_mut().zip(old) {
                    shape.shape.borrows = borrows;
                }
            }
        }
    }

    /// Finds types that contain themselves, and boxes the fields where that would make them infinite.
    pub(super) fn find_recursion(&mut self) {
        let all = self.containment(true);
        let direct = self.containment(false);
        for (name, info) in &mut self.types {
            info.recursive = reaches(&all, name, name);
        }
        for item in self.constructors.values_mut() {
            let owner = item.newest.definition.result.name.clone();
            let shapes = item.old.iter_mut().map(|old| &mut old.shape).chain([&mut item.newest]);
            for field in shapes.flat_map(|shape| &mut shape.fields) {
                if let Ty::Named(name) = &field.ty {
                    field.boxed = reaches(&direct, name, &owner);
                }
            }
        }
    }

    /// Which types the constructors of each type hold; with `vectors` also those in vectors.
    fn containment(&self, vectors: bool) -> BTreeMap<Name, BTreeSet<Name>> {
        let mut graph: BTreeMap<Name, BTreeSet<Name>> = BTreeMap::new();
        for item in self.constructors.values() {
            let owner = &item.newest.definition.result.name;
            for field in &item.newest.fields {
                let mut ty = &field.ty;
                while let Ty::Vector { of, .. } = ty {
                    ty = of;
                }
                if !vectors && matches!(field.ty, Ty::Vector { .. }) {
                    continue;
                }
                if let Some(name) = self.type_of(ty) {
                    graph.entry(owner.clone()).or_default().insert(name);
                }
            }
        }
        graph
    }

    /// The name of the type of a named or bare `ty`.
    fn type_of(&self, ty: &Ty) -> Option<Name> {
        match ty {
            Ty::Named(name) => Some(name.clone()),
            Ty::Bare(name) => {
                self.constructors.get(name).map(|item| item.newest.definition.result.name.clone())
            }
            Ty::Vector { of, .. } => self.type_of(of),
            _ => None,
        }
    }

    pub(super) fn find_directions(&mut self) {
        let graph = self.containment_of_all_shapes();
        let mut incoming = BTreeSet::new();
        let mut outgoing = BTreeSet::new();
        let mut required = BTreeSet::new();
        for item in self.functions.values() {
            let shapes = item.old.iter().map(|old| &old.shape).chain([&item.newest]);
            for field in shapes.flat_map(|shape| &shape.fields) {
                incoming.extend(self.type_of(&field.ty));
            }
            let answer = &item.newest.definition.result;
            let vector = answer.arguments.first().filter(|_| answer.name.ident == "Vector");
            outgoing.insert(vector.unwrap_or(answer).name.clone());
            if vector.is_none() {
                required.insert(answer.name.clone());
            }
        }
        for item in self.constructors.values() {
            // What the server sends on its own accord.
            if item.newest.definition.annotation("pushed").is_some() {
                outgoing.insert(item.newest.definition.result.name.clone());
            }
            for field in item.newest.required() {
                if let Ty::Named(name) = &field.ty {
                    required.insert(name.clone());
                }
            }
        }
        let incoming = closure(&graph, incoming);
        let outgoing = closure(&graph, outgoing);
        for (name, info) in &mut self.types {
            info.incoming = !self.directed || incoming.contains(name);
            info.outgoing = !self.directed || outgoing.contains(name);
            info.required = required.contains(name);
            info.has_since = info
                .constructors
                .iter()
                .filter_map(|name| self.constructors.get(name))
                .any(|item| item.newest.since.is_some());
        }
    }

    fn containment_of_all_shapes(&self) -> BTreeMap<Name, BTreeSet<Name>> {
        let mut graph = self.containment(true);
        for item in self.constructors.values() {
            let owner = &item.newest.definition.result.name;
            for field in item.old.iter().flat_map(|old| &old.shape.fields) {
                if let Some(name) = self.type_of(&field.ty) {
                    graph.entry(owner.clone()).or_default().insert(name);
                }
            }
        }
        graph
    }
}

fn reaches(graph: &BTreeMap<Name, BTreeSet<Name>>, from: &Name, to: &Name) -> bool {
    let starts: BTreeSet<Name> = graph.get(from).cloned().unwrap_or_default();
    starts.contains(to) || closure(graph, starts).contains(to)
}

fn closure(graph: &BTreeMap<Name, BTreeSet<Name>>, mut reached: BTreeSet<Name>) -> BTreeSet<Name> {
    let mut open: Vec<Name> = reached.iter().cloned().collect();
    while let Some(name) = open.pop() {
        for next in graph.get(&name).into_iter().flatten() {
            if reached.insert(next.clone()) {
                open.push(next.clone());
            }
        }
    }
    reached
}
