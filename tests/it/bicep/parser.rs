//! Tokens to statements. What the language has and this compiler does not (loops, types of one's own, functions,
//! imports, lambdas, safe access, nested resources) is refused by name.

use super::ast::{Decl, DeclKind, Decorator, Expr, Module, Node, Piece, Property, Resource, Type};
use super::lexer::{self, Fault, Kind, Pos, Segment, Token};

type Parsed<T> = Result<T, Fault>;

/// Deeper nesting is nobody's template and would only spend the stack.
const DEPTH: usize = 96;

/// From loose to tight; one row a precedence.
const OPERATORS: [&[&str]; 7] =
    [&["??"], &["||"], &["&&"], &["==", "!=", "=~", "!~"], &["<", "<=", ">", ">="], &["+", "-"], &["*", "/", "%"]];

/// The statements of a file.
pub fn parse(source: &str) -> Parsed<Vec<Decl>> {
    let tokens = lexer::tokens(source)?;
    let mut parser = Parser { tokens: &tokens, next: 0, depth: 0 };
    let mut found = Vec::new();
    loop {
        parser.newlines();
        if parser.kind() == &Kind::End {
            return Ok(found);
        }
        found.push(parser.statement()?);
        if parser.kind() != &Kind::End && !parser.newline() {
            return parser.unexpected("the end of the line");
        }
    }
}

struct Parser<'a> {
    tokens: &'a [Token],
    next: usize,
    depth: usize,
}

impl Parser<'_> {
    fn token(&self) -> &Token {
        &self.tokens[self.next.min(self.tokens.len() - 1)]
    }

    fn kind(&self) -> &Kind {
        &self.token().kind
    }

    fn at(&self) -> Pos {
        self.token().at
    }

    fn is(&self, mark: &str) -> bool {
        matches!(self.kind(), Kind::Mark(found) if *found == mark)
    }

    fn is_word(&self, word: &str) -> bool {
        matches!(self.kind(), Kind::Word(found) if found == word)
    }

    fn take(&mut self, mark: &str) -> bool {
        let found = self.is(mark);
        self.next += usize::from(found);
        found
    }

    fn newline(&mut self) -> bool {
        let found = self.kind() == &Kind::Newline;
        self.next += usize::from(found);
        found
    }

    fn newlines(&mut self) {
        while self.newline() {}
    }

    fn expect(&mut self, mark: &str) -> Parsed<()> {
        if self.take(mark) { Ok(()) } else { self.unexpected(&format!("`{mark}`")) }
    }

    fn fault<T>(&self, message: impl Into<String>) -> Parsed<T> {
        Err(Fault::new(self.at(), message))
    }

    fn unexpected<T>(&self, wanted: &str) -> Parsed<T> {
        let found = match self.kind() {
            Kind::Word(word) => format!("`{word}`"),
            Kind::Number(number) => format!("`{number}`"),
            Kind::Text(_) => "a string".to_owned(),
            Kind::Mark(mark) => format!("`{mark}`"),
            Kind::Newline => "the end of the line".to_owned(),
            Kind::End => "the end".to_owned(),
        };
        self.fault(format!("{wanted} expected, {found} found"))
    }

    fn word(&mut self, what: &str) -> Parsed<String> {
        let Kind::Word(word) = self.kind() else { return self.unexpected(what) };
        let word = word.clone();
        self.next += 1;
        Ok(word)
    }

    /// A string without interpolation.
    fn plain(&mut self, what: &str) -> Parsed<String> {
        let at = self.at();
        let pieces = self.text(what)?;
        match super::ast::plain(&pieces) {
            Some(text) => Ok(text.to_owned()),
            None => Err(Fault::new(at, format!("{what} holds no interpolation"))),
        }
    }

    fn text(&mut self, what: &str) -> Parsed<Vec<Piece>> {
        let Kind::Text(segments) = self.kind() else { return self.unexpected(what) };
        let mut pieces = Vec::new();
        for segment in segments.clone() {
            pieces.push(match segment {
                Segment::Literal(text) => Piece::Literal(text),
                Segment::Tokens(tokens) => {
                    let mut inner = Parser { tokens: &tokens, next: 0, depth: self.depth + 1 };
                    let value = inner.expression()?;
                    if inner.kind() != &Kind::End {
                        return inner.unexpected("`}`");
                    }
                    Piece::Value(value)
                }
            });
        }
        self.next += 1;
        Ok(pieces)
    }

    fn statement(&mut self) -> Parsed<Decl> {
        let mut decorators = Vec::new();
        while self.is("@") {
            let at = self.at();
            self.next += 1;
            let mut name = self.word("the name of a decorator")?;
            if name == "sys" && self.take(".") {
                name = self.word("the name of a decorator")?;
            }
            self.expect("(")?;
            let arguments = self.list(")")?;
            decorators.push(Decorator { at, name, arguments });
            self.newlines();
        }
        let start = self.at();
        let keyword = self.word("a statement")?;
        let at = self.at();
        let (name, kind) = match keyword.as_str() {
            "targetScope" => (String::new(), DeclKind::TargetScope(self.assigned()?)),
            "metadata" => (self.word("a name")?, DeclKind::Metadata(self.assigned()?)),
            "param" => {
                let name = self.word("a name")?;
                if self.is("=") {
                    (name, DeclKind::Assign(self.assigned()?))
                } else {
                    let kind = self.kind_of()?;
                    let default = if self.is("=") { Some(self.assigned()?) } else { None };
                    (name, DeclKind::Param(kind, default))
                }
            }
            "var" => {
                let name = self.word("a name")?;
                if !self.is("=") {
                    return self.fault("typed variables are not supported here");
                }
                (name, DeclKind::Var(self.assigned()?))
            }
            "output" => {
                let name = self.word("a name")?;
                (name, DeclKind::Output(self.kind_of()?, self.assigned()?))
            }
            "resource" => (self.word("a name")?, self.resource()?),
            "module" => (self.word("a name")?, self.module()?),
            "using" => (String::new(), DeclKind::Using(self.plain("a path")?)),
            "type" | "func" | "import" | "extension" | "provider" | "assert" | "test" | "extends" => {
                return Err(Fault::new(start, format!("`{keyword}` is not supported here")));
            }
            _ => return Err(Fault::new(start, format!("`{keyword}` begins no statement"))),
        };
        Ok(Decl { at, name, decorators, kind })
    }

    fn assigned(&mut self) -> Parsed<Expr> {
        self.expect("=")?;
        self.expression()
    }

    fn kind_of(&mut self) -> Parsed<Type> {
        let at = self.at();
        let Kind::Word(base) = self.kind() else {
            return self.fault("types of one's own are not supported here: string, int, bool, object, array are");
        };
        let base = base.clone();
        if !["string", "int", "bool", "object", "array"].contains(&base.as_str()) {
            return Err(Fault::new(
                at,
                format!("type `{base}` is not supported here: string, int, bool, object, array are"),
            ));
        }
        self.next += 1;
        let mut depth = 0;
        while self.take("[") {
            self.expect("]")?;
            depth += 1;
        }
        let nullable = self.take("?");
        if self.is("|") {
            return self.fault("types of one's own are not supported here");
        }
        Ok(Type { base, depth, nullable })
    }

    fn resource(&mut self) -> Parsed<DeclKind> {
        let at = self.at();
        let written = self.plain("a resource type")?;
        let Some((kind, version)) = written.split_once('@') else {
            return Err(Fault::new(at, "a resource type is written 'provider/type@api-version'"));
        };
        if kind.split('/').count() < 2 || kind.split('/').any(str::is_empty) || version.is_empty() {
            return Err(Fault::new(at, "a resource type is written 'provider/type@api-version'"));
        }
        let existing = self.is_word("existing");
        self.next += usize::from(existing);
        let (condition, body) = self.conditional_body()?;
        Ok(DeclKind::Resource(Resource {
            kind: kind.to_owned(),
            version: version.to_owned(),
            existing,
            condition,
            body,
        }))
    }

    fn module(&mut self) -> Parsed<DeclKind> {
        let at = self.at();
        let path = self.plain("a path")?;
        if path.contains(':') {
            return Err(Fault::new(at, "modules of registries are not supported here"));
        }
        let (condition, body) = self.conditional_body()?;
        Ok(DeclKind::Module(Module { path, condition, body }))
    }

    fn conditional_body(&mut self) -> Parsed<(Option<Expr>, Vec<Property>)> {
        self.expect("=")?;
        self.newlines();
        let mut condition = None;
        if self.is_word("if") {
            self.next += 1;
            self.expect("(")?;
            condition = Some(self.expression()?);
            self.expect(")")?;
        }
        if self.is("[") {
            return self.fault("loops are not supported here");
        }
        Ok((condition, self.object()?))
    }

    /// The members of an object.
    fn object(&mut self) -> Parsed<Vec<Property>> {
        self.expect("{")?;
        let mut found: Vec<Property> = Vec::new();
        loop {
            self.newlines();
            if self.take("}") {
                return Ok(found);
            }
            let at = self.at();
            let key = match self.kind() {
                Kind::Word(word) if word == "resource" && self.nested() => {
                    return self.fault("nested resources are not supported here");
                }
                Kind::Word(_) => vec![Piece::Literal(self.word("a key")?)],
                Kind::Text(_) => self.text("a key")?,
                Kind::Mark("...") => return self.fault("spreading is not supported here"),
                _ => return self.unexpected("a key"),
            };
            self.expect(":")?;
            let value = self.expression()?;
            let property = Property { at, key, value };
            if let Some(name) = property.name()
                && found.iter().any(|other| other.name() == Some(name))
            {
                return Err(Fault::new(at, format!("key `{name}` is given twice")));
            }
            found.push(property);
            if !self.take(",") && self.kind() != &Kind::Newline && !self.is("}") {
                return self.unexpected("`}`");
            }
        }
    }

    /// Whether `resource` begins a nested resource and is no key.
    fn nested(&self) -> bool {
        !matches!(self.tokens.get(self.next + 1), Some(Token { kind: Kind::Mark(":"), .. }))
    }

    /// What stands between brackets, the opening one already taken.
    fn list(&mut self, close: &str) -> Parsed<Vec<Expr>> {
        let mut found = Vec::new();
        loop {
            self.newlines();
            if self.take(close) {
                return Ok(found);
            }
            if self.is("...") {
                return self.fault("spreading is not supported here");
            }
            found.push(self.expression()?);
            if close == ")" {
                self.newlines();
            }
            let parted = self.take(",") || (close == "]" && self.kind() == &Kind::Newline);
            if !parted && !self.is(close) {
                return self.unexpected(&format!("`{close}`"));
            }
        }
    }

    fn expression(&mut self) -> Parsed<Expr> {
        self.depth += 1;
        if self.depth > DEPTH {
            return self.fault(format!("nested more than {DEPTH} deep"));
        }
        let condition = self.operation(0)?;
        let at = condition.at;
        let value = if self.ahead("?") {
            self.newlines();
            self.expect("?")?;
            let yes = self.expression()?;
            self.newlines();
            self.expect(":")?;
            let no = self.expression()?;
            Expr { at, node: Node::Choice(Box::new(condition), Box::new(yes), Box::new(no)) }
        } else {
            condition
        };
        self.depth -= 1;
        Ok(value)
    }

    /// Whether the next token that ends no line is that mark.
    fn ahead(&self, mark: &str) -> bool {
        let next = self.tokens[self.next..].iter().find(|token| token.kind != Kind::Newline);
        matches!(next, Some(Token { kind: Kind::Mark(found), .. }) if *found == mark)
    }

    fn operation(&mut self, level: usize) -> Parsed<Expr> {
        let Some(operators) = OPERATORS.get(level) else { return self.unary() };
        let mut left = self.operation(level + 1)?;
        loop {
            let Some(operator) = operators.iter().find(|operator| self.is(operator)) else { return Ok(left) };
            self.next += 1;
            let right = self.operation(level + 1)?;
            left = Expr { at: left.at, node: Node::Binary(operator, Box::new(left), Box::new(right)) };
        }
    }

    fn unary(&mut self) -> Parsed<Expr> {
        let at = self.at();
        for operator in ["!", "-"] {
            if !self.take(operator) {
                continue;
            }
            if let (true, Kind::Number(number)) = (operator == "-", self.kind()) {
                let Some(number) = 0i64.checked_sub_unsigned(*number) else {
                    return self.fault("this number is below 64 bits");
                };
                self.next += 1;
                return Ok(Expr { at, node: Node::Int(number) });
            }
            self.depth += 1;
            if self.depth > DEPTH {
                return self.fault(format!("nested more than {DEPTH} deep"));
            }
            let operand = self.unary()?;
            self.depth -= 1;
            return Ok(Expr { at, node: Node::Unary(operator, Box::new(operand)) });
        }
        self.postfix()
    }

    fn postfix(&mut self) -> Parsed<Expr> {
        let mut base = self.primary()?;
        loop {
            let at = base.at;
            let node = if self.is(".") {
                self.next += 1;
                if self.is("?") {
                    return self.fault("safe access is not supported here");
                }
                let name = self.word("the name of a member")?;
                if !self.take("(") {
                    Node::Member(Box::new(base), name)
                } else {
                    let arguments = self.list(")")?;
                    match &base.node {
                        Node::Name(space) if space == "sys" || space == "az" => Node::Call(name, arguments),
                        _ => Node::Method(Box::new(base), name, arguments),
                    }
                }
            } else if self.is("[") {
                self.next += 1;
                if self.is("?") || self.is("^") {
                    return self.fault("safe access is not supported here");
                }
                let index = self.expression()?;
                self.expect("]")?;
                match index.plain() {
                    Some(name) => Node::Member(Box::new(base), name.to_owned()),
                    None => Node::Index(Box::new(base), Box::new(index)),
                }
            } else if self.is("!") {
                return self.fault("the assertion `!` is not supported here");
            } else if self.is("::") {
                return self.fault("nested resources are not supported here");
            } else {
                return Ok(base);
            };
            base = Expr { at, node };
        }
    }

    fn primary(&mut self) -> Parsed<Expr> {
        let at = self.at();
        let node = match self.kind() {
            Kind::Text(_) => Node::Text(self.text("a string")?),
            Kind::Number(number) => {
                let Ok(number) = i64::try_from(*number) else { return self.fault("this number is above 64 bits") };
                self.next += 1;
                Node::Int(number)
            }
            Kind::Word(_) => {
                let word = self.word("a name")?;
                match word.as_str() {
                    "null" => Node::Null,
                    "true" => Node::Bool(true),
                    "false" => Node::Bool(false),
                    _ if self.is("=>") => return self.fault("lambdas are not supported here"),
                    _ if self.take("(") => Node::Call(word, self.list(")")?),
                    _ => Node::Name(word),
                }
            }
            Kind::Mark("{") => Node::Object(self.object()?),
            Kind::Mark("[") => {
                self.next += 1;
                self.newlines();
                if self.is_word("for") {
                    return self.fault("loops are not supported here");
                }
                Node::Array(self.list("]")?)
            }
            Kind::Mark("(") => {
                self.next += 1;
                let inner = self.expression()?;
                if self.is(",") {
                    return self.fault("lambdas are not supported here");
                }
                self.expect(")")?;
                if self.is("=>") {
                    return self.fault("lambdas are not supported here");
                }
                inner.node
            }
            _ => return self.unexpected("a value"),
        };
        Ok(Expr { at, node })
    }
}
