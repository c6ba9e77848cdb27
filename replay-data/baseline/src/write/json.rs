//! JSON objects written straight into one text, keys in the order they are given. It never reads JSON.

/// An object that is being written.
#[derive(Clone, Debug)]
pub struct Object(String);

impl Default for Object {
    fn default() -> Self {
        Self::new()
    }
}

impl Object {
    /// An empty object.
    pub fn new() -> Self {
        let mut text = String::with_capacity(768);
        text.push('{');
        Self(text)
    }

    fn key(&mut self, key: &str) {
        if self.0.len() > 1 {
            self.0.push(',');
        }
        quote(&mut self.0, key);
        self.0.push(':');
    }

    /// A text.
    pub fn text(mut self, key: &str, value: &str) -> Self {
        self.key(key);
        quote(&mut self.0, value);
        self
    }

    /// A text, where there is one.
    pub fn maybe(self, key: &str, value: Option<&str>) -> Self {
        match value {
            Some(value) => self.text(key, value),
            None => self,
        }
    }

    /// A whole number.
    pub fn int(self, key: &str, value: i64) -> Self {
        self.raw(key, &value.to_string())
    }

    /// True or false.
    pub fn flag(self, key: &str, value: bool) -> Self {
        self.raw(key, if value { "true" } else { "false" })
    }

    /// A list of texts.
    pub fn texts<T: AsRef<str>>(mut self, key: &str, values: &[T]) -> Self {
        self.key(key);
        self.0.push('[');
        for (at, value) in values.iter().enumerate() {
            if at > 0 {
                self.0.push(',');
            }
            quote(&mut self.0, value.as_ref());
        }
        self.0.push(']');
        self
    }

    /// A list of numbers or of true and false.
    pub fn plain<T: ToString>(self, key: &str, values: &[T]) -> Self {
        let values: Vec<String> = values.iter().map(T::to_string).collect();
        self.raw(key, &format!("[{}]", values.join(",")))
    }

    /// An object in it.
    pub fn object(self, key: &str, value: Object) -> Self {
        let text = value.finish();
        self.raw(key, &text)
    }

    /// A list of objects.
    pub fn objects(self, key: &str, values: Vec<Object>) -> Self {
        let values: Vec<String> = values.into_iter().map(Object::finish).collect();
        self.raw(key, &format!("[{}]", values.join(",")))
    }

    /// A value that is JSON already.
    pub fn raw(mut self, key: &str, json: &str) -> Self {
        self.key(key);
        self.0.push_str(json);
        self
    }

    /// All members of another object, behind those of this one.
    pub fn append(mut self, other: Object) -> Self {
        if self.0.len() > 1 && other.0.len() > 1 {
            self.0.push(',');
        }
        self.0.push_str(other.0.strip_prefix('{').unwrap_or(""));
        self
    }

    /// The text of the whole object.
    pub fn finish(mut self) -> String {
        self.0.push('}');
        self.0
    }
}

fn quote(out: &mut String, text: &str) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            c if c < ' ' => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
}
