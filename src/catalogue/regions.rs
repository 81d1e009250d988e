//! Regions by short and display name.
//!
//! Source: the list of Azure regions (learn.microsoft.com, `az account list-locations`), 2026.

/// A region.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Region {
    /// `eastus2`, as most of Azure writes it.
    pub name: &'static str,
    /// `East US 2`, as API Management answers.
    pub display: &'static str,
}

macro_rules! regions {
    ($($name:literal $display:literal;)*) => {
        /// Every public region that this program knows.
        pub const REGIONS: &[Region] = &[$(Region { name: $name, display: $display }),*];
    };
}

regions! {
    "australiacentral" "Australia Central";
    "australiaeast" "Australia East";
    "australiasoutheast" "Australia Southeast";
    "austriaeast" "Austria East";
    "belgiumcentral" "Belgium Central";
    "brazilsouth" "Brazil South";
    "canadacentral" "Canada Central";
    "canadaeast" "Canada East";
    "centralindia" "Central India";
    "centralus" "Central US";
    "chilecentral" "Chile Central";
    "denmarkeast" "Denmark East";
    "eastasia" "East Asia";
    "eastus" "East US";
    "eastus2" "East US 2";
    "francecentral" "France Central";
    "germanynorth" "Germany North";
    "germanywestcentral" "Germany West Central";
    "indonesiacentral" "Indonesia Central";
    "israelcentral" "Israel Central";
    "italynorth" "Italy North";
    "japaneast" "Japan East";
    "japanwest" "Japan West";
    "koreacentral" "Korea Central";
    "koreasouth" "Korea South";
    "malaysiawest" "Malaysia West";
    "mexicocentral" "Mexico Central";
    "newzealandnorth" "New Zealand North";
    "northcentralus" "North Central US";
    "northeurope" "North Europe";
    "norwayeast" "Norway East";
    "polandcentral" "Poland Central";
    "qatarcentral" "Qatar Central";
    "southafricanorth" "South Africa North";
    "southcentralus" "South Central US";
    "southeastasia" "Southeast Asia";
    "southindia" "South India";
    "spaincentral" "Spain Central";
    "swedencentral" "Sweden Central";
    "switzerlandnorth" "Switzerland North";
    "switzerlandwest" "Switzerland West";
    "uaenorth" "UAE North";
    "uksouth" "UK South";
    "ukwest" "UK West";
    "westcentralus" "West Central US";
    "westeurope" "West Europe";
    "westindia" "West India";
    "westus" "West US";
    "westus2" "West US 2";
    "westus3" "West US 3";
}

/// Finds a region by either name, blanks and case ignored.
pub fn region(text: &str) -> Option<&'static Region> {
    let name: String = text.chars().filter(|c| *c != ' ').map(|c| c.to_ascii_lowercase()).collect();
    REGIONS.iter().find(|region| region.name == name)
}
